//! How values read.

/// How values are written out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FormatOptions {
    /// How scalars are written.
    pub radix: Radix,
    /// The most elements of arrays and characters of strings shown in all.
    pub elements_max: usize,
    /// Runs of at least this many equal elements are shown once with their number.
    pub repeats_min: usize,
    /// The most records and arrays shown inside of each other.
    pub depth_max: usize,
    /// Whether members stand on lines of their own.
    pub is_pretty: bool,
}

impl Default for FormatOptions {
    /// gdb's defaults.
    fn default() -> Self {
        FormatOptions {
            radix: Radix::Natural,
            elements_max: 200,
            repeats_min: 10,
            depth_max: 20,
            is_pretty: false,
        }
    }
}

/// How scalars are written: the format letters of gdb's `print`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Radix {
    /// As the type suggests.
    Natural,
    /// `x`: hexadecimal.
    Hexadecimal,
    /// `d`: signed decimal.
    Decimal,
    /// `u`: unsigned decimal.
    Unsigned,
    /// `o`: octal.
    Octal,
    /// `t`: binary.
    Binary,
    /// `c`: a character.
    Character,
    /// `a`: an address.
    Address,
    /// `f`: floating point.
    Float,
}
