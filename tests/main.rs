//! Features, told through the public door: the SDK against a real server on a real database.

mod harness;

mod cancelled_callers;
mod concurrency;
mod posting;
mod process;
mod repository;
mod smoke;
