//! `wdb`: arguments and wiring only.

fn main() {}
