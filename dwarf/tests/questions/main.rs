//! What a debugger asks of debug info, asked of real modules.

mod classes;
mod corruption;
mod golden;
mod inlining;
mod lines;
mod oracle;
mod place_rules;
mod real_programs;
mod rust;
mod support;
mod values;
