//! wdb from end to end: the real program, with real keys in a pseudo-terminal, or with pipes.

mod compare;
mod line;
mod picture;
mod screen;
mod svg;
mod terminal;
