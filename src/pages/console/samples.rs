//! What every page of the console is tried with.

use super::frame::{ConsoleFrame, Room, Signed};
pub(crate) use crate::pages::samples::{HOSTILE, ID, KEY, NOW};

pub(crate) fn frame() -> ConsoleFrame {
    let signed = Signed { name: HOSTILE.to_owned(), roles: "Sales, Finance".to_owned(), csrf: "token".to_owned() };
    ConsoleFrame::new(Room::Today, "nonce", Some(signed), 7, NOW).with_query(HOSTILE)
}
