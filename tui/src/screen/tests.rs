//! Keys in, screens out: the state is driven without a session or a terminal, and what it draws is compared with
//! checked-in pictures. `INSTA_UPDATE=always cargo test -p wdb-tui` rewrites them.

mod behaviour;
mod fixture;
mod pictures;
