//! What every build of ctu-core must do.
#![no_std]
