//! One computation a key among threads and tasks.

mod limits;
mod local;
mod several_keys;
mod tasks;
mod threads;
