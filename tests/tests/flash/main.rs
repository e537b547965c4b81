//! `FlashCache` on a simulated NOR flash with the rules of real ones.

mod contents;
mod damage;
mod front;
mod nor;
mod power;
mod replay;
mod wear;
