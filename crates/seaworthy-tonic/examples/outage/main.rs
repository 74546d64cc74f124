//! A tonic client and a tonic server, each with its stack, through an outage of the server's database.
//!
//! Each row is a part of the story: what the callers saw, what reached the database, and the client's circuit. All that
//! the rows claim is checked; the program ends by itself, and with 1 if something was not as it should be.
//!
//!     cargo run --package seaworthy-tonic --example outage
#![allow(clippy::print_stdout, reason = "an example speaks")]
#![allow(clippy::disallowed_methods, reason = "an example lives in real time")]

mod stock;

use std::collections::BTreeMap;
use std::time::Duration;

use seaworthy::http::grpc::{Code, GrpcMethods, GrpcRespondLayer};
use seaworthy::{
    Backoff, BoxError, Bulkhead, CircuitBreaker, Health, Phase, RetryPolicy, State, Timeout, WrapErrorLayer,
};
use seaworthy_tonic::{ChannelLayer, TonicHealth, rejected_of};
use stock::{COUNT, Database, StockClient, StockServer};
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::Status;
use tonic::body::Body;
use tonic::client::GrpcService;
use tonic::service::Routes;
use tonic::transport::{Endpoint, Server};
use tower::ServiceBuilder;

const OPEN: Duration = Duration::from_millis(500);
/// Of the server. One more call at a time is refused.
const PERMITS: u32 = 4;

#[tokio::main]
async fn main() -> Result<(), BoxError> {
    let (database, health) = (Database::default(), Health::new());
    let address = serve(&database, &health).await?;

    let circuit_breaker = CircuitBreaker::builder("stock").consecutive_failures(5).open_for(OPEN).build()?;
    let retry = RetryPolicy::builder("stock").attempts(2).backoff(Backoff::constant(Duration::from_millis(5)));
    let stack = ServiceBuilder::new()
        .layer(retry.build()?.grpc_layer(GrpcMethods::builder().idempotent(COUNT).build()?))
        .layer(circuit_breaker.grpc_layer())
        .layer(Timeout::new(Duration::from_secs(2)).layer())
        .layer(ChannelLayer::new())
        .service(Endpoint::from_shared(format!("http://{address}"))?.connect_lazy());
    let client = StockClient(stack);

    println!("{:<26} {:<46} {:>8}  circuit", "", "callers saw", "database");
    let story = Story { database: &database, circuit_breaker: &circuit_breaker };

    health.advance(Phase::Serving);
    let seen = in_turn(10, || client.count(7)).await;
    story.row("all is well", &seen, 10, State::Closed)?;
    check(seen == [("14".to_owned(), 10)].into(), "ten answers")?;

    // Each call is made twice, until the fifth failure in a row.
    database.lose(true);
    let seen = in_turn(20, || client.count(7)).await;
    story.row("the database is lost", &seen, 5, State::Open)?;
    check(seen.get("UNAVAILABLE, circuit open (ours)").is_some_and(|count| *count >= 17), "fast rejections")?;

    // Nobody has asked since.
    database.lose(false);
    let seen = in_turn(5, || client.count(7)).await;
    story.row("it is back, unnoticed", &seen, 0, State::Open)?;
    check(seen == [("UNAVAILABLE, circuit open (ours)".to_owned(), 5)].into(), "fast rejections")?;

    tokio::time::sleep(OPEN + OPEN / 2).await;
    let seen = in_turn(10, || client.count(7)).await;
    story.row("after the open time", &seen, 10, State::Closed)?;
    check(seen == [("14".to_owned(), 10)].into(), "ten answers")?;

    // A server that is full is not broken: the circuit stays closed.
    let seen = at_once(40, &client).await;
    story.row_with("forty at once", &seen, |asked| asked >= PERMITS, State::Closed)?;
    check(seen.contains_key("RESOURCE_EXHAUSTED, bulkhead full"), "the server's bulkhead refuses some")?;
    check(seen.contains_key("14"), "and lets others pass")?;

    health.advance(Phase::Draining);
    let seen = in_turn(2, || client.count(7)).await;
    story.row("the server drains", &seen, 0, State::Closed)?;
    check(seen == [("UNAVAILABLE, not ready".to_owned(), 2)].into(), "the server says so")?;
    println!("\nall of it as expected");
    Ok(())
}

/// The server, with its stack around the service and the health service beside it.
async fn serve(database: &Database, health: &Health) -> Result<std::net::SocketAddr, BoxError> {
    let stack = ServiceBuilder::new()
        .layer(GrpcRespondLayer::new())
        .layer(health.readiness_layer().refuse_while_draining())
        .layer(Bulkhead::builder("stock").limit(PERMITS).build()?.layer().until_body_end())
        .layer(WrapErrorLayer::new());
    let shop = Routes::new(StockServer(database.clone())).into_axum_router().layer(stack);
    let routes = Routes::from(shop).add_service(TonicHealth::new(health.grpc_service()));
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let server = Server::builder().add_routes(routes);
    tokio::spawn(server.serve_with_incoming(TcpListenerStream::new(listener)));
    Ok(address)
}

/// What callers saw, and how often.
type Seen = BTreeMap<String, usize>;

fn in_words(answer: Result<u64, Status>) -> String {
    match answer {
        Ok(number) => number.to_string(),
        Err(status) => {
            let ours = if rejected_of(&status).is_some() { " (ours)" } else { "" };
            format!("{}, {}{ours}", Code::from(i32::from(status.code())), status.message())
        }
    }
}

async fn in_turn<F, Fut>(calls: usize, call: F) -> Seen
where
    F: Fn() -> Fut,
    Fut: Future<Output = Result<u64, Status>>,
{
    let mut seen = Seen::new();
    for _ in 0..calls {
        *seen.entry(in_words(call().await)).or_default() += 1;
    }
    seen
}

async fn at_once<T>(calls: usize, client: &StockClient<T>) -> Seen
where
    T: GrpcService<Body, Future: Send> + Clone + Send + Sync + 'static,
    T::ResponseBody: http_body::Body<Data = bytes::Bytes, Error: Into<BoxError>> + Send + 'static,
    T::Error: Send,
{
    let mut tasks = JoinSet::new();
    for _ in 0..calls {
        let client = client.clone();
        tasks.spawn(async move { in_words(client.count(7).await) });
    }
    let mut seen = Seen::new();
    for words in tasks.join_all().await {
        *seen.entry(words).or_default() += 1;
    }
    seen
}

struct Story<'a> {
    database: &'a Database,
    circuit_breaker: &'a CircuitBreaker,
}

impl Story<'_> {
    fn row(&self, part: &str, seen: &Seen, asked: u32, state: State) -> Result<(), BoxError> {
        self.row_with(part, seen, |found| found == asked, state)
    }

    /// Prints a row, and checks what is the same in all of them.
    fn row_with(&self, part: &str, seen: &Seen, asked: impl Fn(u32) -> bool, state: State) -> Result<(), BoxError> {
        let (found, now) = (self.database.asked(), self.circuit_breaker.state());
        for (at, (words, count)) in seen.iter().enumerate() {
            let callers = format!("{count} x {words}");
            match at {
                0 => println!("{part:<26} {callers:<46} {found:>8}  {now}"),
                _ => println!("{:<26} {callers}", ""),
            }
        }
        check(asked(found), format_args!("{part}: the database was asked {found} times"))?;
        check(now == state, format_args!("{part}: the circuit should be {state}"))
    }
}

fn check(holds: bool, what: impl std::fmt::Display) -> Result<(), BoxError> {
    if holds { Ok(()) } else { Err(format!("not as expected: {what}").into()) }
}
