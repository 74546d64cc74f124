mod conformance;
mod guard;
mod limits;
mod rows;
mod support;
