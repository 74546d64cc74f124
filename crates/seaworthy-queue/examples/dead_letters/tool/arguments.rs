//! What the tool is asked to do.

use seaworthy_queue::JobId;

use super::place::Place;

pub const USAGE: &str = "\
usage: dead_letters STORE QUEUE list                              one line for each
       dead_letters STORE QUEUE show ID...                        all that is known, and the body
       dead_letters STORE QUEUE redrive ID...                     back into the queue, with no attempt made
       dead_letters STORE QUEUE redrive --all [--per-second N]    all that are dead now; 10 a second if N is not given
       dead_letters STORE QUEUE drop ID...                        for good

STORE is sqlite:FILE, postgres://USER:PASSWORD@HOST/DATABASE or redis://HOST/.
It ends with 0 if all was done, with 1 if something was not, and with 2 if it was asked wrongly.
";

const PER_SECOND: u32 = 10;

pub struct Asked {
    pub place: Place,
    pub queue: String,
    pub command: Command,
}

#[derive(Debug, PartialEq, Eq)]
pub enum Command {
    List,
    Show(Vec<JobId>),
    Redrive(Vec<JobId>),
    RedriveAll { per_second: u32 },
    Drop(Vec<JobId>),
}

impl Asked {
    pub fn from_arguments(arguments: &[String]) -> Result<Asked, String> {
        let [store, queue, command, rest @ ..] = arguments else {
            return Err("a store, a queue and a command are needed".to_owned());
        };
        let place = Place::from_url(store)?;
        let command = match (command.as_str(), rest) {
            ("list", []) => Command::List,
            ("list", [more, ..]) => return Err(format!("list takes nothing, and not `{more}`")),
            ("show", ids) => Command::Show(parsed(ids)?),
            ("redrive", [all, rest @ ..]) if all == "--all" => {
                let per_second = match rest {
                    [] => PER_SECOND,
                    [name, number] if name == "--per-second" => {
                        let number = number.parse().ok().filter(|number| *number > 0);
                        number.ok_or("--per-second is followed by a number that is at least 1")?
                    }
                    _ => return Err("redrive --all takes --per-second and a number, and nothing else".to_owned()),
                };
                Command::RedriveAll { per_second }
            }
            ("redrive", ids) => Command::Redrive(parsed(ids)?),
            ("drop", ids) => Command::Drop(parsed(ids)?),
            (other, _) => return Err(format!("there is no command `{other}`")),
        };
        Ok(Asked { place, queue: queue.clone(), command })
    }
}

fn parsed(ids: &[String]) -> Result<Vec<JobId>, String> {
    if ids.is_empty() {
        return Err("the ids of jobs are needed".to_owned());
    }
    // Could be an id, and is more likely meant as something else.
    if let Some(option) = ids.iter().find(|id| id.starts_with("--")) {
        return Err(format!("`{option}` is not taken here"));
    }
    ids.iter().map(|id| JobId::new(id).map_err(|_| format!("`{id}` cannot be the id of a job"))).collect()
}
