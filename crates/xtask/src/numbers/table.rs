//! The tables, in Markdown.

use std::fmt::Write;

use super::programs::Units;
use super::rows::{Kind, Peer, Reach, Row};

/// What was measured of a row in one of its builds; nanoseconds a call, or whatever the row's unit is.
#[derive(Debug)]
pub(crate) struct Measured {
    pub ours: f64,
    pub floor: Option<f64>,
    /// In the row's order.
    pub peers: Vec<f64>,
}

impl Measured {
    /// The best peer's time, and what the table calls it.
    fn best(&self, peers: &[Peer]) -> Option<(f64, &'static str)> {
        let best = self.peers.iter().zip(peers).min_by(|one, other| one.0.total_cmp(other.0));
        best.map(|(time, peer)| (*time, peer.0))
    }

    fn holds(&self, reach: Reach) -> bool {
        let best = self.peers.iter().copied().min_by(f64::total_cmp);
        // A ratio of 1.604 is told as 1.60.
        let times = |base: Option<f64>, limit: f64| base.is_some_and(|base| self.ours / base < limit + 0.005);
        match reach {
            Reach::TimesFloor(limit) => times(self.floor, limit),
            Reach::TimesPeer(limit) => times(best, limit),
            Reach::FloorAnd(nanos) => self.floor.is_some_and(|floor| self.ours < floor + nanos + 0.05),
            Reach::AtMost(limit) => self.ours < limit + 0.05,
        }
    }
}

/// How the numbers of both builds share a cell.
fn both(measured: &[Measured], cell: impl Fn(&Measured) -> Option<String>) -> String {
    let cells: Option<Vec<String>> = measured.iter().map(cell).collect();
    let Some(mut cells) = cells else { return "–".into() };
    cells.dedup();
    cells.join(" / ")
}

/// The table of all rows, each against what it is to reach.
pub(crate) fn table(rows: &[(&Row, Vec<Measured>)]) -> String {
    let mut table = String::from(
        "| path | floor | seaworthy | × floor | best peer | × peer | to reach | reached |\n\
         |---|---:|---:|---:|---|---:|---|---|\n",
    );
    for (row, measured) in rows {
        let floor = both(measured, |side| Some(figure(side.floor?)));
        let ours = both(measured, |side| Some(figure(side.ours)));
        let to_floor = both(measured, |side| Some(format!("{:.2}", side.ours / side.floor?)));
        let peer = peer(row, measured);
        let to_peer = both(measured, |side| Some(format!("{:.2}", side.ours / side.best(row.peers)?.0)));
        let reach: Vec<String> = row.reach.iter().map(|reach| words(*reach, row.kind)).collect();
        let missed: Vec<&String> = row
            .reach
            .iter()
            .zip(&reach)
            .filter(|(reach, _)| !measured.iter().all(|side| side.holds(**reach)))
            .map(|(_, words)| words)
            .collect();
        let reached = match (row.reach, missed.as_slice()) {
            ([], _) => String::new(),
            (_, []) => "yes".into(),
            ([_], _) => "**no**".into(),
            (_, missed) => {
                format!("**no**: {}", missed.iter().map(|words| words.as_str()).collect::<Vec<_>>().join(", "))
            }
        };
        let title = match row.kind {
            Kind::Number(unit) => format!("{}, {unit}", row.title),
            Kind::Calls => row.title.into(),
        };
        let reach = reach.join(", ");
        let _ =
            writeln!(table, "| {title} | {floor} | {ours} | {to_floor} | {peer} | {to_peer} | {reach} | {reached} |");
    }
    table
}

/// The best peer's name and times. It need not be the same one in both builds.
fn peer(row: &Row, measured: &[Measured]) -> String {
    let name = both(measured, |side| Some(side.best(row.peers)?.1.into()));
    if name.contains(" / ") {
        return both(measured, |side| side.best(row.peers).map(|(time, name)| format!("{name} {}", figure(time))));
    }
    match both(measured, |side| Some(figure(side.best(row.peers)?.0))) {
        times if measured.iter().all(|side| side.peers.is_empty()) => times,
        times => format!("{name} {times}"),
    }
}

fn words(reach: Reach, kind: Kind) -> String {
    match (reach, kind) {
        (Reach::TimesFloor(limit), _) => format!("≤ {limit} × floor"),
        (Reach::TimesPeer(limit), _) => format!("≤ {limit} × peer"),
        (Reach::FloorAnd(nanos), _) => format!("≤ floor + {nanos}"),
        (Reach::AtMost(limit), _) => format!("≤ {}", figure(limit)),
    }
}

/// One decimal where it says something, and thousands apart.
pub(crate) fn figure(number: f64) -> String {
    if number < 100.0 && number.fract() != 0.0 {
        return format!("{number:.1}");
    }
    let digits = format!("{number:.0}");
    let mut figure = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at) % 3 == 0 {
            figure.push(',');
        }
        figure.push(digit);
    }
    figure
}

/// Two sides of a row in one of its builds; each pair in the order of the table's heads.
#[derive(Debug)]
pub(crate) struct Compared {
    pub units: Units,
    pub time: Option<[f64; 2]>,
    pub instructions: Option<[f64; 2]>,
}

/// A table of two sides.
pub(crate) fn comparison([one, other]: [&str; 2], rows: &[(&Row, Vec<Compared>)]) -> String {
    let mut table = format!(
        "| row | units | ns, {one} | {other} | ratio | instructions, {one} | {other} | ratio |\n\
         |---|---:|---:|---:|---:|---:|---:|---:|\n",
    );
    for (row, compared) in rows {
        for side in compared {
            let cells = |pair: Option<[f64; 2]>| match pair {
                Some([one, other]) => format!("{} | {} | {:.2}", figure(one), figure(other), other / one),
                None => "– | – | –".into(),
            };
            let (time, instructions) = (cells(side.time), cells(side.instructions));
            let _ = writeln!(table, "| {} | {} | {time} | {instructions} |", row.name, side.units.number());
        }
    }
    table
}

#[cfg(test)]
mod tests {
    use super::super::rows::ROWS;
    use super::*;

    fn of([floor, ours, peer]: [f64; 3]) -> Measured {
        Measured { ours, floor: Some(floor), peers: vec![2.0 * peer, peer] }
    }

    /// Both builds must reach all of it, and what is missed is named.
    #[test]
    fn reached_by_both_or_not() {
        let closed = ROWS.iter().find(|row| row.name == "closed").expect("it is a row");
        let line = |one, sixteen| {
            let measured = vec![of(one), of(sixteen)];
            table(&[(closed, measured)]).lines().last().expect("a line").to_owned()
        };
        let good = line([5.0, 8.0, 14.0], [5.0, 7.5, 14.0]);
        assert_eq!(
            good,
            "| closed, consecutive failures | 5 | 8 / 7.5 | 1.60 / 1.50 | recloser 14 | 0.57 / 0.54 | ≤ 1.6 × floor, \
             ≤ 0.65 × peer | yes |"
        );
        assert!(line([5.0, 8.1, 14.0], [5.0, 7.5, 14.0]).ends_with("| **no**: ≤ 1.6 × floor |"));
        assert!(line([5.0, 8.0, 14.0], [5.0, 8.1, 14.0]).ends_with("| **no**: ≤ 1.6 × floor |"));
        assert!(line([5.0, 8.0, 11.0], [5.0, 8.0, 14.0]).ends_with("| **no**: ≤ 0.65 × peer |"));
    }

    #[test]
    fn the_best_peer_of_each_build() {
        let closed = ROWS.iter().find(|row| row.name == "closed").expect("it is a row");
        let of = |peers: [f64; 2]| Measured { ours: 1.0, floor: None, peers: peers.into() };
        assert_eq!(peer(closed, &[of([2.0, 3.0]), of([2.0, 3.0])]), "failsafe 2");
        assert_eq!(peer(closed, &[of([2.0, 3.0]), of([2.5, 2.0])]), "failsafe 2 / recloser 2");
        assert_eq!(peer(closed, &[Measured { ours: 1.0, floor: None, peers: Vec::new() }]), "–");
    }

    #[test]
    fn limits_of_other_kinds() {
        let measured = of([23.0, 35.0, 30.0]);
        assert!(measured.holds(Reach::FloorAnd(12.0)) && !measured.holds(Reach::FloorAnd(11.0)));
        assert!(measured.holds(Reach::AtMost(35.0)) && !measured.holds(Reach::AtMost(34.0)));
        let alone = Measured { ours: 1.0, floor: None, peers: Vec::new() };
        assert!(!alone.holds(Reach::TimesFloor(9.0)) && !alone.holds(Reach::TimesPeer(9.0)));
    }

    #[test]
    fn figures() {
        assert_eq!([8.04, 8.0, 99.9, 123.4, 1234.5].map(figure), ["8.0", "8", "99.9", "123", "1,234"]);
        assert_eq!(figure(1_234_567.0), "1,234,567");
    }

    #[test]
    fn what_changed() {
        let compared = Compared { units: Units::One, time: Some([10.0, 8.0]), instructions: None };
        let text = comparison(["before", "after"], &[(&ROWS[0], vec![compared])]);
        assert!(text.ends_with("| closed | 1 | 10 | 8 | 0.80 | – | – | – |\n"), "{text}");
    }
}
