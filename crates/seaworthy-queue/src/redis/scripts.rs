//! The steps, one script each, and what they begin with.

use std::sync::LazyLock;

use redis::Script;

macro_rules! scripts {
    ($($name:ident = $file:literal;)*) => {
        $(pub(super) static $name: LazyLock<Script> =
            LazyLock::new(|| Script::new(concat!(include_str!("lua/common.lua"), include_str!($file))));)*
    };
}

scripts! {
    ACK = "lua/ack.lua";
    BURY = "lua/bury.lua";
    CANCEL = "lua/cancel.lua";
    DEAD = "lua/dead.lua";
    DEPTH = "lua/depth.lua";
    DISCARD = "lua/discard.lua";
    ENQUEUE = "lua/enqueue.lua";
    EXTEND = "lua/extend.lua";
    LATER = "lua/later.lua";
    REDRIVE = "lua/redrive.lua";
    SWEEP = "lua/sweep.lua";
    TAKE = "lua/take.lua";
    TIDY = "lua/tidy.lua";
}
