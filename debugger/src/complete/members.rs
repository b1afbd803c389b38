//! Members of structures: what can stand after `.` and `->`.

use wdb_dwarf::{PointerKind, TypeKind, Value};

use crate::debugger::Debugger;
use crate::expression::{self, Scope};

/// The expression whose member ends a line, and where the member begins; `None` when no member is being typed.
pub(super) fn object_before(line: &str) -> Option<(usize, &str)> {
    let is_name = |c: char| c.is_alphanumeric() || c == '_';
    let start = line.trim_end_matches(is_name).len();
    let before = &line[..start];
    let object = before
        .strip_suffix("->")
        .or_else(|| before.strip_suffix('.'))?;
    let begin = operand_start(object)?;
    let text = &object[begin..];
    // The point of a number is none of a member.
    let is_number = text.starts_with(|c: char| c.is_ascii_digit());
    (!text.is_empty() && !is_number).then_some((start, text))
}

/// Where the operand begins that ends a text: names, members, indices, calls, parentheses.
fn operand_start(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    let mut position = bytes.len();
    while position > 0 {
        match bytes[position - 1] {
            b')' | b']' => position = opening(bytes, position)?,
            byte if byte.is_ascii_alphanumeric() || byte >= 0x80 => position -= 1,
            b'_' | b'$' | b'.' | b':' => position -= 1,
            b'>' if position >= 2 && bytes[position - 2] == b'-' => position -= 2,
            _ => break,
        }
    }
    text.is_char_boundary(position).then_some(position)
}

/// Where the bracket opens that closes at the end of a text.
fn opening(bytes: &[u8], end: usize) -> Option<usize> {
    let mut depth = 0usize;
    for position in (0..end).rev() {
        match bytes[position] {
            b')' | b']' => depth += 1,
            b'(' | b'[' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return Some(position);
        }
    }
    None
}

impl Debugger {
    /// The names of the members of what an expression stands for, or of what it points to. Nothing is called or changed.
    pub(crate) fn member_names(&self, text: &str) -> Vec<String> {
        let Ok(node) = self.parse_expression(text) else {
            return Vec::new();
        };
        if node.has_effect() || node.has_call() {
            return Vec::new();
        }
        let scope = self.scope();
        let mut names = Vec::new();
        if let Ok(value) = expression::evaluate(&scope, &node) {
            collect(&scope, &value, 0, &mut names);
        }
        names
    }
}

fn collect(scope: &dyn Scope, value: &Value, depth: usize, names: &mut Vec<String>) {
    /// Pointers, base classes and anonymous members inside of each other.
    const DEPTH_MAX: usize = 16;
    const MEMBERS_MAX: usize = 500;
    let inspector = scope.inspector();
    let info = inspector.info();
    let is_pointer = matches!(
        info.type_of(info.resolve(value.type_ref)).kind,
        TypeKind::Pointer {
            kind: PointerKind::Pointer | PointerKind::Reference | PointerKind::RvalueReference,
            ..
        }
    );
    if depth > DEPTH_MAX {
        return;
    }
    if is_pointer {
        if let Ok(target) = inspector.dereference(value)
            && depth == 0
        {
            collect(scope, &target, depth + 1, names);
        }
        return;
    }
    if !matches!(
        info.type_of(info.resolve(value.type_ref)).kind,
        TypeKind::Record(_)
    ) {
        return;
    }
    for child in inspector.children(value, MEMBERS_MAX) {
        // Base classes and anonymous members stand in angle brackets; their members count as the object's own.
        match child.name.starts_with('<') {
            true => collect(scope, &child.value, depth + 1, names),
            false => names.push(child.name),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::object_before;

    #[test]
    fn the_object_before_a_member_is_found() {
        let cases = [
            ("print p->na", Some("p")),
            ("print list.items[i + 1].", Some("list.items[i + 1]")),
            ("print *(node *)p->next.", Some("(node *)p->next")),
            ("print a + ns::b.c", Some("ns::b")),
            ("print f(x)->", Some("f(x)")),
            ("print (*p).", Some("(*p)")),
            ("print $1.", Some("$1")),
            ("print 1.", None),
            ("print .", None),
            ("print name", None),
            ("print ).", None),
        ];
        for (line, wanted) in cases {
            let found = object_before(line).map(|(_, object)| object);
            assert_eq!(found, wanted, "{line}");
        }
    }
}
