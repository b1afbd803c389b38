//! Running the program: at full speed between the places where something may have to stop, by single instructions where
//! stepping has to look at each.

mod finish;
mod run;
mod start;
mod step;
mod stop;

pub(crate) use step::StepKind;
