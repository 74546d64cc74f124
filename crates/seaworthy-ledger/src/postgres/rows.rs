use seaworthy_store::StoreError;
use seaworthy_store::postgres::Read;

pub(super) const RUNNING: i16 = 0;
pub(super) const DONE: i16 = 1;
pub(super) const FAILED: i16 = 2;

pub(super) fn grants(read: Read<'_>) -> Result<u32, StoreError> {
    let grants: i32 = read.get("grants")?;
    u32::try_from(grants).map_err(|_| read.corrupt("a number of grants is negative"))
}
