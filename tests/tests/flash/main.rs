//! `FlashCache` on a simulated NOR flash with the rules of real ones.

mod asynchronous;
mod contents;
mod damage;
mod dropped;
mod front;
mod model;
mod nor;
mod power;
mod replay;
mod wear;
