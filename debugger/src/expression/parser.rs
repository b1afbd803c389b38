//! From tokens to the tree, by precedence climbing.

use crate::error::Error;
use crate::expression::lexer::{Token, TokenKind, tokens};
use crate::expression::tree::{BinaryOperator, Node, NodeKind, UnaryOperator};

/// How deep an expression may nest, which bounds the parser's and the evaluator's stack.
const DEPTH_MAX: usize = 100;

/// Parses a whole text. `is_type` says whether a text names a type, which decides between a cast and parentheses.
pub(crate) fn parse(text: &str, is_type: &dyn Fn(&str) -> bool) -> Result<Node, Error> {
    let mut parser = Parser {
        text,
        tokens: tokens(text)?,
        position: 0,
        depth: 0,
        is_type,
    };
    let node = parser.expression(Precedence::COMMA)?;
    match parser.peek() {
        TokenKind::End => Ok(node),
        _ => Err(parser.error("Expected an operator or the end")),
    }
}

/// How tightly an operator binds: C's levels, and gdb's for `@`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Precedence(u8);

impl Precedence {
    const COMMA: Precedence = Precedence(1);
    const ASSIGN: Precedence = Precedence(2);
    const CONDITIONAL: Precedence = Precedence(3);
    const REPEAT: Precedence = Precedence(12);
    const UNARY: Precedence = Precedence(15);

    fn next(self) -> Precedence {
        Precedence(self.0 + 1)
    }
}

fn binary_operator(symbol: &str) -> Option<(BinaryOperator, Precedence)> {
    use BinaryOperator as B;
    let (operator, level) = match symbol {
        "||" => (B::Or, 4),
        "&&" => (B::And, 5),
        "|" => (B::BitOr, 6),
        "^" => (B::BitXor, 7),
        "&" => (B::BitAnd, 8),
        "==" => (B::Equal, 9),
        "!=" => (B::NotEqual, 9),
        "<" => (B::Less, 10),
        "<=" => (B::LessOrEqual, 10),
        ">" => (B::Greater, 10),
        ">=" => (B::GreaterOrEqual, 10),
        "<<" => (B::ShiftLeft, 11),
        ">>" => (B::ShiftRight, 11),
        "+" => (B::Add, 13),
        "-" => (B::Subtract, 13),
        "*" => (B::Multiply, 14),
        "/" => (B::Divide, 14),
        "%" => (B::Remainder, 14),
        _ => return None,
    };
    Some((operator, Precedence(level)))
}

/// The operator that an assignment applies first; `None` when the symbol assigns nothing.
fn assignment(symbol: &str) -> Option<Option<BinaryOperator>> {
    if symbol == "=" {
        return Some(None);
    }
    let operator = symbol.strip_suffix('=')?;
    let (operator, _) = binary_operator(operator)?;
    let assigns = !matches!(
        operator,
        BinaryOperator::Less | BinaryOperator::Greater | BinaryOperator::And | BinaryOperator::Or
    );
    assigns.then_some(Some(operator))
}

struct Parser<'a> {
    text: &'a str,
    tokens: Vec<Token>,
    position: usize,
    depth: usize,
    is_type: &'a dyn Fn(&str) -> bool,
}

impl Parser<'_> {
    fn expression(&mut self, lowest: Precedence) -> Result<Node, Error> {
        self.depth += 1;
        if self.depth > DEPTH_MAX {
            return Err(self.error("The expression is nested too deeply"));
        }
        let mut left = self.unary()?;
        // A chain of operators makes a tree as deep as it is long.
        let depth = self.depth;
        while let Some(node) = self.infix(&mut left, lowest)? {
            left = node;
            self.depth += 1;
            if self.depth > DEPTH_MAX * 4 {
                return Err(self.error("The expression is too long"));
            }
        }
        self.depth = depth - 1;
        Ok(left)
    }

    /// The node of the next operator with what is left of it, if it binds at least as tightly as `lowest`.
    fn infix(&mut self, left: &mut Node, lowest: Precedence) -> Result<Option<Node>, Error> {
        let position = self.start();
        let symbol = match self.peek() {
            TokenKind::Symbol(symbol) => *symbol,
            TokenKind::Name(name) if name == "as" => {
                return self.rust_cast(left, lowest);
            }
            _ => return Ok(None),
        };
        let mut take = || {
            let nothing = Node {
                position,
                kind: NodeKind::Boolean(false),
            };
            Box::new(std::mem::replace(left, nothing))
        };
        let kind = if let Some((operator, precedence)) = binary_operator(symbol) {
            if precedence < lowest {
                return Ok(None);
            }
            let left = take();
            self.advance();
            let right = self.expression(precedence.next())?;
            NodeKind::Binary(operator, left, Box::new(right))
        } else if let Some(operator) = assignment(symbol) {
            if lowest > Precedence::ASSIGN {
                return Ok(None);
            }
            let left = take();
            self.advance();
            let right = self.expression(Precedence::ASSIGN)?;
            NodeKind::Assign(operator, left, Box::new(right))
        } else {
            match symbol {
                "," if lowest <= Precedence::COMMA => {
                    let left = take();
                    self.advance();
                    let right = self.expression(Precedence::COMMA.next())?;
                    NodeKind::Comma(left, Box::new(right))
                }
                "?" if lowest <= Precedence::CONDITIONAL => {
                    let left = take();
                    self.advance();
                    let yes = self.expression(Precedence::COMMA)?;
                    self.expect(":")?;
                    let no = self.expression(Precedence::CONDITIONAL)?;
                    NodeKind::Conditional(left, Box::new(yes), Box::new(no))
                }
                "@" if lowest <= Precedence::REPEAT => {
                    let left = take();
                    self.advance();
                    let right = self.expression(Precedence::REPEAT.next())?;
                    NodeKind::Repeat(left, Box::new(right))
                }
                _ => return Ok(None),
            }
        };
        Ok(Some(Node { position, kind }))
    }

    /// `value as type`, which binds tighter than any operator with two operands.
    fn rust_cast(&mut self, left: &mut Node, lowest: Precedence) -> Result<Option<Node>, Error> {
        if lowest > Precedence::UNARY {
            return Ok(None);
        }
        let position = self.start();
        self.advance();
        let from = self.start();
        if self.take("*") && !(self.take_name("const") || self.take_name("mut")) {
            return Err(self.error("Expected const or mut"));
        }
        loop {
            if !matches!(self.peek(), TokenKind::Name(_)) {
                return Err(self.error("Expected a type"));
            }
            self.advance();
            if !self.take("::") {
                break;
            }
        }
        let end = self.tokens[self.position - 1].end;
        let written = self.text[from..end].trim();
        let pointer = written
            .strip_prefix("*const ")
            .or_else(|| written.strip_prefix("*mut "));
        let name = pointer.map_or_else(|| written.to_owned(), |target| format!("{target} *"));
        let nothing = Node {
            position,
            kind: NodeKind::Boolean(false),
        };
        let left = Box::new(std::mem::replace(left, nothing));
        Ok(Some(Node {
            position,
            kind: NodeKind::Cast(name, left),
        }))
    }

    fn unary(&mut self) -> Result<Node, Error> {
        self.depth += 1;
        if self.depth > DEPTH_MAX {
            return Err(self.error("The expression is nested too deeply"));
        }
        let node = self.unary_inside();
        self.depth -= 1;
        node
    }

    fn unary_inside(&mut self) -> Result<Node, Error> {
        let position = self.start();
        let TokenKind::Symbol(symbol) = *self.peek() else {
            return match self.peek() {
                TokenKind::Name(name) if name == "sizeof" => self.size_of(),
                _ => self.postfix(),
            };
        };
        let operator = match symbol {
            "-" => UnaryOperator::Minus,
            "+" => UnaryOperator::Plus,
            "!" => UnaryOperator::Not,
            "~" => UnaryOperator::Complement,
            "*" => UnaryOperator::Dereference,
            "&" => UnaryOperator::AddressOf,
            "++" | "--" => {
                self.advance();
                let operand = Box::new(self.unary()?);
                let by = if symbol == "++" { 1 } else { -1 };
                let kind = NodeKind::Increment {
                    operand,
                    by,
                    is_postfix: false,
                };
                return Ok(Node { position, kind });
            }
            // gdb's `{int} 0x1000` is C's `*(int *) 0x1000`.
            "{" => {
                let name = self
                    .take_type_between("{", "}")
                    .ok_or_else(|| self.error("Expected a type between `{` and `}`"))?;
                let address = Node {
                    position,
                    kind: NodeKind::Cast(format!("{name} *"), Box::new(self.unary()?)),
                };
                let kind = NodeKind::Unary(UnaryOperator::Dereference, Box::new(address));
                return Ok(Node { position, kind });
            }
            "(" => {
                if let Some(name) = self.take_type_between("(", ")") {
                    let operand = self.unary()?;
                    let kind = NodeKind::Cast(name, Box::new(operand));
                    return Ok(Node { position, kind });
                }
                return self.postfix();
            }
            _ => return self.postfix(),
        };
        self.advance();
        if operator == UnaryOperator::AddressOf {
            // Rust's `&mut x`.
            self.take_name("mut");
        }
        let operand = self.unary()?;
        Ok(Node {
            position,
            kind: NodeKind::Unary(operator, Box::new(operand)),
        })
    }

    fn size_of(&mut self) -> Result<Node, Error> {
        let position = self.start();
        self.advance();
        let kind = match self.take_type_between("(", ")") {
            Some(name) => NodeKind::SizeOfType(name),
            None => NodeKind::SizeOf(Box::new(self.unary()?)),
        };
        Ok(Node { position, kind })
    }

    /// The text between the parentheses or braces that begin here, if it names a type.
    fn take_type_between(&mut self, open: &str, close: &str) -> Option<String> {
        let is = |kind: &TokenKind, wanted: &str| matches!(kind, TokenKind::Symbol(found) if *found == wanted);
        if !is(self.peek(), open) {
            return None;
        }
        let mut depth = 0usize;
        for position in self.position..self.tokens.len() {
            match &self.tokens[position].kind {
                kind if is(kind, open) => depth += 1,
                kind if is(kind, close) => depth -= 1,
                TokenKind::End => return None,
                _ => {}
            }
            if depth == 0 {
                let inside =
                    &self.text[self.tokens[self.position].end..self.tokens[position].start];
                let inside = inside.trim();
                let begins_like_one =
                    inside.starts_with(|c: char| c.is_alphabetic() || c == '_' || c == '&');
                if !begins_like_one || !(self.is_type)(inside) {
                    return None;
                }
                self.position = position + 1;
                return Some(inside.to_owned());
            }
        }
        None
    }

    fn postfix(&mut self) -> Result<Node, Error> {
        let mut node = self.primary()?;
        let depth = self.depth;
        loop {
            let position = self.start();
            let TokenKind::Symbol(symbol) = *self.peek() else {
                break;
            };
            let kind = match symbol {
                "." | "->" => {
                    self.advance();
                    let TokenKind::Name(name) = self.peek().clone() else {
                        return Err(self.error("Expected a member's name"));
                    };
                    self.advance();
                    if let Some(variable) = self.variable_of_file(&node, &name)? {
                        node = variable;
                        continue;
                    }
                    NodeKind::Member(Box::new(node), name)
                }
                "[" => {
                    self.advance();
                    let index = self.expression(Precedence::COMMA)?;
                    self.expect("]")?;
                    NodeKind::Index(Box::new(node), Box::new(index))
                }
                "++" | "--" => {
                    self.advance();
                    NodeKind::Increment {
                        operand: Box::new(node),
                        by: if symbol == "++" { 1 } else { -1 },
                        is_postfix: true,
                    }
                }
                "(" => {
                    self.advance();
                    let args = self.arguments()?;
                    NodeKind::Call(Box::new(node), args)
                }
                _ => break,
            };
            node = Node { position, kind };
            self.depth += 1;
            if self.depth > DEPTH_MAX * 4 {
                return Err(self.error("The expression is too long"));
            }
        }
        self.depth = depth;
        Ok(node)
    }

    fn primary(&mut self) -> Result<Node, Error> {
        let position = self.start();
        let kind = match self.peek().clone() {
            TokenKind::Integer {
                value,
                is_unsigned,
                is_long,
                is_decimal,
            } => NodeKind::Integer {
                value,
                is_unsigned,
                is_long,
                is_decimal,
            },
            TokenKind::Float { value, is_single } => NodeKind::Float { value, is_single },
            TokenKind::Character(character) => NodeKind::Character(character),
            TokenKind::Text(bytes) => NodeKind::Text(bytes),
            TokenKind::Dollar(name) => NodeKind::Dollar(name),
            TokenKind::Name(name) if name == "true" => NodeKind::Boolean(true),
            TokenKind::Name(name) if name == "false" => NodeKind::Boolean(false),
            TokenKind::Name(_) | TokenKind::Symbol("::") => {
                return self.path();
            }
            TokenKind::Symbol("(") => {
                self.advance();
                let inside = self.expression(Precedence::COMMA)?;
                self.expect(")")?;
                return Ok(inside);
            }
            TokenKind::Symbol(_) | TokenKind::End => {
                return Err(self.error("Expected a value"));
            }
        };
        self.advance();
        Ok(Node { position, kind })
    }

    /// A name with the namespaces before it.
    fn path(&mut self) -> Result<Node, Error> {
        let position = self.start();
        // A leading `::` only says that the name is global, which lookups find out by themselves.
        self.take("::");
        let mut path = String::new();
        loop {
            let TokenKind::Name(name) = self.peek().clone() else {
                return Err(self.error("Expected a name"));
            };
            self.advance();
            path.push_str(&name);
            if !self.take("::") {
                break;
            }
            path.push_str("::");
        }
        Ok(Node {
            position,
            kind: NodeKind::Name(path),
        })
    }

    /// What looks like a member is the end of a file's name if `::` follows: `list.c::head` is gdb's way to name a variable of
    /// a file.
    fn variable_of_file(&mut self, before: &Node, ending: &str) -> Result<Option<Node>, Error> {
        let NodeKind::Name(name) = &before.kind else {
            return Ok(None);
        };
        if !self.take("::") {
            return Ok(None);
        }
        let file = format!("{name}.{ending}");
        let mut node = self.path()?;
        if let NodeKind::Name(path) = &mut node.kind {
            *path = format!("{file}::{path}");
        }
        Ok(Some(node))
    }

    fn peek(&self) -> &TokenKind {
        &self.tokens[self.position].kind
    }

    fn start(&self) -> usize {
        self.tokens[self.position].start
    }

    fn advance(&mut self) {
        if self.position + 1 < self.tokens.len() {
            self.position += 1;
        }
    }

    fn take(&mut self, symbol: &str) -> bool {
        let found = matches!(self.peek(), TokenKind::Symbol(found) if *found == symbol);
        if found {
            self.advance();
        }
        found
    }

    fn take_name(&mut self, name: &str) -> bool {
        let found = matches!(self.peek(), TokenKind::Name(found) if found == name);
        if found {
            self.advance();
        }
        found
    }

    /// The arguments of a call, after its opening parenthesis.
    fn arguments(&mut self) -> Result<Vec<Node>, Error> {
        let mut args = Vec::new();
        if self.take(")") {
            return Ok(args);
        }
        loop {
            args.push(self.expression(Precedence::COMMA.next())?);
            if self.take(")") {
                return Ok(args);
            }
            self.expect(",")?;
        }
    }

    fn expect(&mut self, symbol: &str) -> Result<(), Error> {
        if self.take(symbol) {
            return Ok(());
        }
        Err(self.error(&format!("Expected `{symbol}`")))
    }

    fn error(&self, message: &str) -> Error {
        Error::Syntax {
            message: message.to_owned(),
            text: self.text.to_owned(),
            position: self.start(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::parse;
    use crate::expression::tree::{Node, NodeKind};

    /// The tree as an S-expression.
    fn show(node: &Node) -> String {
        match &node.kind {
            NodeKind::Integer { value, .. } => value.to_string(),
            NodeKind::Float { value, .. } => format!("{value:?}"),
            NodeKind::Character(character) => format!("c{character}"),
            NodeKind::Text(bytes) => format!("{:?}", String::from_utf8_lossy(bytes)),
            NodeKind::Boolean(value) => value.to_string(),
            NodeKind::Name(name) => name.clone(),
            NodeKind::Dollar(name) => format!("${name}"),
            NodeKind::Unary(operator, a) => format!("({operator:?} {})", show(a)),
            NodeKind::Binary(operator, a, b) => format!("({operator:?} {} {})", show(a), show(b)),
            NodeKind::Assign(None, a, b) => format!("(Assign {} {})", show(a), show(b)),
            NodeKind::Assign(Some(operator), a, b) => {
                format!("(Assign{operator:?} {} {})", show(a), show(b))
            }
            NodeKind::Increment {
                operand,
                by,
                is_postfix,
            } => {
                let kind = if *is_postfix { "Post" } else { "Pre" };
                format!("({kind} {by} {})", show(operand))
            }
            NodeKind::Conditional(a, b, c) => format!("(If {} {} {})", show(a), show(b), show(c)),
            NodeKind::Cast(name, a) => format!("(Cast <{name}> {})", show(a)),
            NodeKind::SizeOfType(name) => format!("(SizeOf <{name}>)"),
            NodeKind::SizeOf(a) => format!("(SizeOf {})", show(a)),
            NodeKind::Member(a, name) => format!("(Member {} {name})", show(a)),
            NodeKind::Index(a, b) => format!("(Index {} {})", show(a), show(b)),
            NodeKind::Repeat(a, b) => format!("(Repeat {} {})", show(a), show(b)),
            NodeKind::Comma(a, b) => format!("(Comma {} {})", show(a), show(b)),
            NodeKind::Call(a, args) => {
                let args: String = args.iter().map(|arg| format!(" {}", show(arg))).collect();
                format!("(Call {}{args})", show(a))
            }
        }
    }

    fn parsed(text: &str) -> String {
        let is_type = |name: &str| {
            let base = name.trim_end_matches(['*', ' ']);
            matches!(base, "int" | "struct node" | "u8" | "unsigned char")
        };
        match parse(text, &is_type) {
            Ok(node) => show(&node),
            Err(error) => error.to_string(),
        }
    }

    /// The cases lie in a file: a line with the expression, a line with the tree or the error.
    #[test]
    fn expressions_parse_as_the_file_says() {
        let cases = include_str!("../../tests/expressions.txt");
        let mut count = 0;
        let mut lines = cases
            .lines()
            .filter(|line| !line.is_empty() && !line.starts_with('#'));
        while let Some(text) = lines.next() {
            let wanted = lines
                .next()
                .expect("every expression is followed by its tree");
            assert_eq!(parsed(text), wanted.trim_start(), "expression: {text}");
            count += 1;
        }
        assert!(count > 40, "only {count} cases were read");
    }

    #[test]
    fn deep_nesting_is_an_error_and_no_overflow() {
        for text in [
            "(".repeat(100_000),
            "-".repeat(100_000),
            "1+".repeat(100_000) + "1",
        ] {
            assert!(parsed(&text).contains("too "), "{}", &parsed(&text)[..40]);
        }
        let members = format!("a{}", ".b".repeat(100_000));
        assert!(parsed(&members).contains("too long"));
        assert!(parsed(&"a?".repeat(100_000)).contains("nested too deeply"));
    }
}
