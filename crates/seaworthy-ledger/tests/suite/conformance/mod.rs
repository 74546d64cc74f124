mod fault;
mod memory;
mod naive;
mod notices;
