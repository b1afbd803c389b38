//! What holds for the repository as a whole: the direction of its dependencies, their licences, and the form of its sources.

mod architecture;
mod licences;
mod metadata;
mod sources;
