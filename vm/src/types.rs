//! Types of the store: equal ones are interned as one, however many modules define them.
//!
//! A recursion group is a key: its references to itself are positions within the group, all others are numbers of the store.
//! So two groups are equal exactly when they are equal in the specification's sense (WebAssembly 3.0, section 3.1.3), and
//! types are compared by their numbers. The store keeps wasmparser's types, in which a *module index* means such a number.

use std::collections::HashMap;

use wasmparser::{
    AbstractHeapType, ArrayType, CompositeInnerType, FieldType, FuncType, HeapType, PackedIndex,
    RefType, StorageType, StructType, SubType, UnpackedIndex, ValType,
};

use crate::address::{InstanceAddr, TypeId};

/// How the fields or elements of an object lie in its bytes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Layout {
    /// A function type, which has no objects.
    Func,
    /// Fields one after the other.
    Struct(StructLayout),
    /// Elements of one type.
    Array(StorageType),
}

/// How fields lie one after the other.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct StructLayout {
    pub(crate) fields: Box<[(u32, StorageType)]>,
    pub(crate) size: u32,
    /// The offsets of references.
    pub(crate) references: Box<[u32]>,
}

impl StructLayout {
    pub(crate) fn new(fields: impl Iterator<Item = StorageType>) -> StructLayout {
        let mut size = 0;
        let mut references = Vec::new();
        let fields = fields.map(|storage| {
            let offset = size;
            size += storage_bytes(storage);
            if is_reference(storage) {
                references.push(offset);
            }
            (offset, storage)
        });
        let fields = fields.collect();
        StructLayout {
            fields,
            size,
            references: references.into(),
        }
    }
}

/// Whether a place of this type holds a reference.
pub(crate) fn is_reference(storage: StorageType) -> bool {
    matches!(storage, StorageType::Val(ValType::Ref(_)))
}

/// The bytes that a field or element takes.
pub(crate) fn storage_bytes(storage: StorageType) -> u32 {
    match storage {
        StorageType::I8 => 1,
        StorageType::I16 => 2,
        StorageType::Val(ValType::I32 | ValType::F32) => 4,
        StorageType::Val(ValType::I64 | ValType::F64 | ValType::Ref(_)) => 8,
        StorageType::Val(ValType::V128) => 16,
    }
}

struct TypeDef {
    ty: SubType,
    /// Its supertypes from the topmost down to itself.
    ancestors: Box<[TypeId]>,
    layout: Layout,
    /// Where it was defined first; `None` for a type that the host brought.
    origin: Option<(InstanceAddr, u32)>,
}

/// The types of a store.
#[derive(Default)]
pub(crate) struct Types {
    defs: Vec<TypeDef>,
    groups: HashMap<Box<[SubType]>, TypeId>,
}

/// More types than can be numbered.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct TooManyTypes;

impl Types {
    /// The numbers of a module's types, which come in recursion groups of so many.
    pub(crate) fn intern_module(
        &mut self,
        instance: InstanceAddr,
        types: &[SubType],
        group_sizes: &[u32],
    ) -> Result<Box<[TypeId]>, TooManyTypes> {
        let mut ids: Vec<TypeId> = Vec::with_capacity(types.len());
        for &size in group_sizes {
            let start = ids.len();
            let group = &types[start..start + size as usize];
            let key = group.iter().map(|ty| {
                map_sub_type(ty, &|index| match index.checked_sub(start as u32) {
                    Some(position) => PackedIndex::from_rec_group_index(position),
                    None => PackedIndex::from_module_index(ids[index as usize].0),
                })
            });
            let key: Box<[SubType]> = key.collect::<Option<_>>().ok_or(TooManyTypes)?;
            let first = self.intern_group(key, Some((instance, start as u32)))?;
            ids.extend((0..size).map(|position| TypeId(first.0 + position)));
        }
        Ok(ids.into())
    }

    /// The number of a function type without references to other types.
    pub(crate) fn intern_func(&mut self, ty: &FuncType) -> Result<TypeId, TooManyTypes> {
        self.intern_group(Box::new([SubType::func(ty.clone(), false)]), None)
    }

    fn intern_group(
        &mut self,
        group: Box<[SubType]>,
        origin: Option<(InstanceAddr, u32)>,
    ) -> Result<TypeId, TooManyTypes> {
        if let Some(&first) = self.groups.get(&group) {
            return Ok(first);
        }
        let first = TypeId(self.defs.len() as u32);
        for (position, ty) in group.iter().enumerate() {
            let id = TypeId(first.0 + position as u32);
            let ty = map_indices(ty, &|index| match index.unpack() {
                UnpackedIndex::RecGroup(position) => {
                    PackedIndex::from_module_index(first.0 + position)
                }
                _ => Some(index),
            });
            let ty = ty.ok_or(TooManyTypes)?;
            // Validation lets a supertype only stand before its subtypes.
            let supertype = ty
                .supertype_idxs
                .first()
                .and_then(PackedIndex::as_module_index);
            let above = supertype.map_or(&[][..], |id| &self.defs[id as usize].ancestors);
            let ancestors = above.iter().copied().chain([id]).collect();
            self.defs.push(TypeDef {
                layout: layout_of(&ty),
                ancestors,
                ty,
                origin: origin.map(|(instance, start)| (instance, start + position as u32)),
            });
        }
        self.groups.insert(group, first);
        Ok(first)
    }

    /// The function type with this number.
    pub(crate) fn func(&self, id: TypeId) -> &FuncType {
        self.defs[id.index()].ty.unwrap_func()
    }

    /// The type itself, in which a module index means a number of the store.
    pub(crate) fn sub_type(&self, id: TypeId) -> &SubType {
        &self.defs[id.index()].ty
    }

    pub(crate) fn layout(&self, id: TypeId) -> &Layout {
        &self.defs[id.index()].layout
    }

    pub(crate) fn origin(&self, id: TypeId) -> Option<(InstanceAddr, u32)> {
        self.defs[id.index()].origin
    }

    /// Whether a type is a subtype of another, or the same.
    pub(crate) fn is_subtype(&self, sub: TypeId, sup: TypeId) -> bool {
        let depth = self.defs[sup.index()].ancestors.len() - 1;
        sub == sup || self.defs[sub.index()].ancestors.get(depth) == Some(&sup)
    }

    /// What kind of heap type the type is: `func`, `struct` or `array`.
    pub(crate) fn kind(&self, id: TypeId) -> AbstractHeapType {
        match self.layout(id) {
            Layout::Func => AbstractHeapType::Func,
            Layout::Struct(_) => AbstractHeapType::Struct,
            Layout::Array(_) => AbstractHeapType::Array,
        }
    }

    /// Whether a heap type of the store matches another (WebAssembly 3.0, section 3.3.3).
    pub(crate) fn heap_type_matches(&self, sub: HeapType, sup: HeapType) -> bool {
        match (type_id(sub), type_id(sup)) {
            (Some(sub), Some(sup)) => self.is_subtype(sub, sup),
            (Some(sub), None) => abstract_of(sup).is_some_and(|sup| {
                let kind = self.kind(sub);
                kind == sup || is_abstract_subtype(kind, sup)
            }),
            (None, Some(sup)) => abstract_of(sub).is_some_and(|sub| match self.kind(sup) {
                AbstractHeapType::Func => sub == AbstractHeapType::NoFunc,
                _ => sub == AbstractHeapType::None,
            }),
            (None, None) => abstract_of(sub)
                .zip(abstract_of(sup))
                .is_some_and(|(sub, sup)| sub == sup || is_abstract_subtype(sub, sup)),
        }
    }

    /// Whether a value type of the store matches another.
    pub(crate) fn val_type_matches(&self, sub: ValType, sup: ValType) -> bool {
        match (sub, sup) {
            (ValType::Ref(sub), ValType::Ref(sup)) => {
                (sup.is_nullable() || !sub.is_nullable())
                    && self.heap_type_matches(sub.heap_type(), sup.heap_type())
            }
            _ => sub == sup,
        }
    }
}

/// The number of a concrete heap type of the store.
pub(crate) fn type_id(ty: HeapType) -> Option<TypeId> {
    match ty {
        HeapType::Concrete(index) | HeapType::Exact(index) => index.as_module_index().map(TypeId),
        HeapType::Abstract { .. } => None,
    }
}

fn abstract_of(ty: HeapType) -> Option<AbstractHeapType> {
    match ty {
        HeapType::Abstract { ty, .. } => Some(ty),
        _ => None,
    }
}

/// Whether an abstract heap type lies below another one.
fn is_abstract_subtype(sub: AbstractHeapType, sup: AbstractHeapType) -> bool {
    use AbstractHeapType::{
        Any, Array, Eq, Exn, Extern, Func, I31, NoExn, NoExtern, NoFunc, None, Struct,
    };
    match sup {
        Any => matches!(sub, Eq | I31 | Struct | Array | None),
        Eq => matches!(sub, I31 | Struct | Array | None),
        I31 | Struct | Array => sub == None,
        Func => sub == NoFunc,
        Extern => sub == NoExtern,
        Exn => sub == NoExn,
        _ => false,
    }
}

fn layout_of(ty: &SubType) -> Layout {
    match &ty.composite_type.inner {
        CompositeInnerType::Struct(ty) => Layout::Struct(StructLayout::new(
            ty.fields.iter().map(|field| field.element_type),
        )),
        CompositeInnerType::Array(ty) => Layout::Array(ty.0.element_type),
        CompositeInnerType::Func(_) | CompositeInnerType::Cont(_) => Layout::Func,
    }
}

/// A module's value type with the store's numbers in place of the module's indices.
pub(crate) fn in_store(ty: ValType, ids: &[TypeId]) -> ValType {
    match ty {
        ValType::Ref(ty) => ValType::Ref(ref_type_in_store(ty, ids)),
        _ => ty,
    }
}

/// The same for a reference type.
pub(crate) fn ref_type_in_store(ty: RefType, ids: &[TypeId]) -> RefType {
    let to_store = |index: PackedIndex| {
        PackedIndex::from_module_index(ids[index.as_module_index()? as usize].0)
    };
    map_ref(ty, &to_store).unwrap_or(ty)
}

type Map<'a> = &'a dyn Fn(PackedIndex) -> Option<PackedIndex>;

fn map_sub_type(ty: &SubType, map: &dyn Fn(u32) -> Option<PackedIndex>) -> Option<SubType> {
    map_indices(ty, &|index| map(index.as_module_index()?))
}

/// The type with other indices; `None` when one of them cannot be represented.
fn map_indices(ty: &SubType, map: Map<'_>) -> Option<SubType> {
    let mut mapped = ty.clone();
    for supertype in &mut mapped.supertype_idxs {
        *supertype = map(*supertype)?;
    }
    mapped.composite_type.inner = match &ty.composite_type.inner {
        CompositeInnerType::Func(func) => {
            let all = |types: &[ValType]| {
                let types = types.iter().map(|&ty| map_val(ty, map));
                types.collect::<Option<Vec<_>>>()
            };
            CompositeInnerType::Func(FuncType::new(all(func.params())?, all(func.results())?))
        }
        CompositeInnerType::Array(array) => {
            CompositeInnerType::Array(ArrayType(map_field(array.0, map)?))
        }
        CompositeInnerType::Struct(fields) => {
            let fields = fields.fields.iter().map(|&field| map_field(field, map));
            CompositeInnerType::Struct(StructType {
                fields: fields.collect::<Option<_>>()?,
            })
        }
        CompositeInnerType::Cont(cont) => CompositeInnerType::Cont(cont.clone()),
    };
    Some(mapped)
}

fn map_field(field: FieldType, map: Map<'_>) -> Option<FieldType> {
    let element_type = match field.element_type {
        StorageType::Val(ty) => StorageType::Val(map_val(ty, map)?),
        packed => packed,
    };
    Some(FieldType {
        element_type,
        ..field
    })
}

fn map_val(ty: ValType, map: Map<'_>) -> Option<ValType> {
    match ty {
        ValType::Ref(ty) => map_ref(ty, map).map(ValType::Ref),
        _ => Some(ty),
    }
}

fn map_ref(ty: RefType, map: Map<'_>) -> Option<RefType> {
    match ty.type_index() {
        Some(index) => Some(RefType::concrete(ty.is_nullable(), map(index)?)),
        None => Some(ty),
    }
}
