//! What gRPC's own words mean: status codes and the names of methods. Settings read from files need these as well as
//! [`http::grpc`](crate::http::grpc), which has the rest of gRPC.

pub(crate) mod code;
pub(crate) mod method;
