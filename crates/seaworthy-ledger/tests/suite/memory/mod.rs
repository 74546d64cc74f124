mod allocations;
mod bound;
mod clock;
mod given;
