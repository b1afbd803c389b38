//! The tree of an expression.

/// A part of an expression with its place in the text.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Node {
    /// Byte offset in the text of what an error about this node points at.
    pub(crate) position: usize,
    pub(crate) kind: NodeKind,
}

/// What a node is.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum NodeKind {
    Integer {
        value: u128,
        is_unsigned: bool,
        is_long: bool,
        is_decimal: bool,
    },
    Float {
        value: f64,
        is_single: bool,
    },
    Character(u32),
    Text(Vec<u8>),
    Boolean(bool),
    /// A variable of the program, with its path (`ns::count`).
    Name(String),
    /// What follows a `$`.
    Dollar(String),
    Unary(UnaryOperator, Box<Node>),
    Binary(BinaryOperator, Box<Node>, Box<Node>),
    /// `left = right`, or `left op= right`.
    Assign(Option<BinaryOperator>, Box<Node>, Box<Node>),
    /// `++x` and its kin. The number is added; `is_postfix` chooses the old value.
    Increment {
        operand: Box<Node>,
        by: i128,
        is_postfix: bool,
    },
    Conditional(Box<Node>, Box<Node>, Box<Node>),
    /// The type's name is kept as written.
    Cast(String, Box<Node>),
    SizeOfType(String),
    SizeOf(Box<Node>),
    Member(Box<Node>, String),
    Index(Box<Node>, Box<Node>),
    /// `first@count`: an array that starts at `first`.
    Repeat(Box<Node>, Box<Node>),
    Comma(Box<Node>, Box<Node>),
    /// A call of the program's function.
    Call(Box<Node>, Vec<Node>),
}

/// An operator with one operand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum UnaryOperator {
    Minus,
    Plus,
    Not,
    Complement,
    Dereference,
    AddressOf,
}

/// An operator with two operands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum BinaryOperator {
    Multiply,
    Divide,
    Remainder,
    Add,
    Subtract,
    ShiftLeft,
    ShiftRight,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    Equal,
    NotEqual,
    BitAnd,
    BitXor,
    BitOr,
    And,
    Or,
}

impl BinaryOperator {
    /// Whether its result is true or false.
    pub(crate) fn is_comparison(self) -> bool {
        matches!(
            self,
            BinaryOperator::Less
                | BinaryOperator::LessOrEqual
                | BinaryOperator::Greater
                | BinaryOperator::GreaterOrEqual
                | BinaryOperator::Equal
                | BinaryOperator::NotEqual
        )
    }
}

impl Node {
    /// The names of the program's variables and functions in it.
    pub(crate) fn names<'a>(&'a self, names: &mut Vec<&'a str>) {
        match &self.kind {
            NodeKind::Name(name) => names.push(name),
            NodeKind::Integer { .. }
            | NodeKind::Float { .. }
            | NodeKind::Character(_)
            | NodeKind::Text(_)
            | NodeKind::Boolean(_)
            | NodeKind::Dollar(_)
            | NodeKind::SizeOfType(_) => {}
            NodeKind::Unary(_, a)
            | NodeKind::Cast(_, a)
            | NodeKind::SizeOf(a)
            | NodeKind::Member(a, _)
            | NodeKind::Increment { operand: a, .. } => a.names(names),
            NodeKind::Binary(_, a, b)
            | NodeKind::Assign(_, a, b)
            | NodeKind::Index(a, b)
            | NodeKind::Repeat(a, b)
            | NodeKind::Comma(a, b) => [a, b].into_iter().for_each(|node| node.names(names)),
            NodeKind::Conditional(a, b, c) => {
                [a, b, c].into_iter().for_each(|node| node.names(names));
            }
            NodeKind::Call(callee, args) => {
                callee.names(names);
                args.iter().for_each(|node| node.names(names));
            }
        }
    }

    /// Whether it calls a function of the program.
    pub(crate) fn has_call(&self) -> bool {
        match &self.kind {
            NodeKind::Call(..) => true,
            NodeKind::Integer { .. }
            | NodeKind::Float { .. }
            | NodeKind::Character(_)
            | NodeKind::Text(_)
            | NodeKind::Boolean(_)
            | NodeKind::Name(_)
            | NodeKind::Dollar(_)
            | NodeKind::SizeOfType(_) => false,
            NodeKind::Unary(_, a)
            | NodeKind::Cast(_, a)
            | NodeKind::SizeOf(a)
            | NodeKind::Member(a, _)
            | NodeKind::Increment { operand: a, .. } => a.has_call(),
            NodeKind::Binary(_, a, b)
            | NodeKind::Assign(_, a, b)
            | NodeKind::Index(a, b)
            | NodeKind::Repeat(a, b)
            | NodeKind::Comma(a, b) => a.has_call() || b.has_call(),
            NodeKind::Conditional(a, b, c) => a.has_call() || b.has_call() || c.has_call(),
        }
    }

    /// The number of the machine's table that it names (`$table0`).
    pub(crate) fn table_number(&self) -> Option<u32> {
        match &self.kind {
            NodeKind::Dollar(name) => name.strip_prefix("table")?.parse().ok(),
            _ => None,
        }
    }

    /// Whether evaluating it may change the program or the user's variables.
    pub(crate) fn has_effect(&self) -> bool {
        match &self.kind {
            NodeKind::Assign(..) | NodeKind::Increment { .. } => true,
            NodeKind::Integer { .. }
            | NodeKind::Float { .. }
            | NodeKind::Character(_)
            | NodeKind::Text(_)
            | NodeKind::Boolean(_)
            | NodeKind::Name(_)
            | NodeKind::Dollar(_)
            | NodeKind::SizeOfType(_) => false,
            NodeKind::Unary(_, a)
            | NodeKind::Cast(_, a)
            | NodeKind::SizeOf(a)
            | NodeKind::Member(a, _) => a.has_effect(),
            NodeKind::Binary(_, a, b)
            | NodeKind::Index(a, b)
            | NodeKind::Repeat(a, b)
            | NodeKind::Comma(a, b) => a.has_effect() || b.has_effect(),
            NodeKind::Call(a, args) => a.has_effect() || args.iter().any(Node::has_effect),
            NodeKind::Conditional(a, b, c) => a.has_effect() || b.has_effect() || c.has_effect(),
        }
    }
}
