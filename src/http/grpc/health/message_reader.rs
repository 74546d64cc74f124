use bytes::Buf;

/// What a message of this protocol needs is a small part of it.
pub(crate) const LONGEST_MESSAGE: usize = 4 * 1024;

const PREFIX: usize = 5;

/// Reads the one message of a request or of a response, in pieces of any size: a prefix of a flag and a length, and as
/// many bytes.
#[derive(Debug, Default)]
pub(crate) struct MessageReader {
    prefix: [u8; PREFIX],
    prefix_read: usize,
    message: Vec<u8>,
}

/// Why a message cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum MessageError {
    /// Compressed, by whatever means.
    Compressed,
    /// Longer than [`LONGEST_MESSAGE`].
    TooLong,
    /// Cut off, or followed by more, or with a prefix that the protocol does not have.
    Broken,
}

impl MessageReader {
    /// Reads the next piece. Nothing is kept of a message that is too long.
    pub(crate) fn push(&mut self, mut piece: impl Buf) -> Result<(), MessageError> {
        while piece.has_remaining() {
            let chunk = piece.chunk();
            let used = self.push_bytes(chunk)?;
            piece.advance(used);
        }
        Ok(())
    }

    /// How many of the bytes were used: at least one.
    fn push_bytes(&mut self, bytes: &[u8]) -> Result<usize, MessageError> {
        let rest = &mut self.prefix[self.prefix_read..];
        if !rest.is_empty() {
            let used = rest.len().min(bytes.len());
            rest[..used].copy_from_slice(&bytes[..used]);
            self.prefix_read += used;
            self.check_prefix()?;
            return Ok(used);
        }
        let used = (self.length() - self.message.len()).min(bytes.len());
        if used == 0 {
            // Another message.
            return Err(MessageError::Broken);
        }
        self.message.extend_from_slice(&bytes[..used]);
        Ok(used)
    }

    fn check_prefix(&self) -> Result<(), MessageError> {
        match self.prefix[0] {
            0 => {}
            1 => return Err(MessageError::Compressed),
            _ => return Err(MessageError::Broken),
        }
        if self.prefix_read == PREFIX && self.length() > LONGEST_MESSAGE {
            return Err(MessageError::TooLong);
        }
        Ok(())
    }

    fn length(&self) -> usize {
        let [_, length @ ..] = self.prefix;
        u32::from_be_bytes(length).try_into().unwrap_or(usize::MAX)
    }

    /// The message, once all was read.
    pub(crate) fn message(&self) -> Result<&[u8], MessageError> {
        if self.prefix_read == PREFIX && self.message.len() == self.length() {
            Ok(&self.message)
        } else {
            Err(MessageError::Broken)
        }
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::MessageError::{Broken, Compressed, TooLong};
    use super::*;

    /// What was read, and whether it was refused before the end.
    fn read(pieces: &[&[u8]]) -> Result<Vec<u8>, MessageError> {
        let mut reader = MessageReader::default();
        for piece in pieces {
            reader.push(*piece)?;
        }
        reader.message().map(<[u8]>::to_vec)
    }

    fn framed(flag: u8, length: u32, message: &[u8]) -> Vec<u8> {
        [&[flag], &length.to_be_bytes()[..], message].concat()
    }

    /// GR-15: a message that is cut into any two pieces, or into bytes, is the same message.
    #[test]
    fn cut_anywhere() {
        for message in [&b""[..], b"a", b"shop.Cart"] {
            let whole = framed(0, message.len() as u32, message);
            for cut in 0..=whole.len() {
                let (head, tail) = whole.split_at(cut);
                assert_eq!(read(&[head, b"", tail]).as_deref(), Ok(message), "{cut}");
                assert_eq!(read(&[head]), if tail.is_empty() { Ok(message.to_vec()) } else { Err(Broken) });
            }
            assert_eq!(read(&whole.chunks(1).collect::<Vec<_>>()).as_deref(), Ok(message));
            let mut reader = MessageReader::default();
            reader.push(Bytes::from(whole.clone()).chain(Bytes::new())).unwrap();
            assert_eq!(reader.message(), Ok(message));
        }
    }

    /// GR-15: what is refused, and that it is as soon as it shows.
    #[test]
    fn refused() {
        assert_eq!(read(&[]), Err(Broken));
        assert_eq!(read(&[b"\x01"]), Err(Compressed));
        for flag in [2, 3, 0x80, 0xff] {
            assert_eq!(read(&[&[flag]]), Err(Broken));
        }
        let longest = vec![b'a'; LONGEST_MESSAGE];
        assert_eq!(read(&[&framed(0, LONGEST_MESSAGE as u32, &longest)]), Ok(longest));
        assert_eq!(read(&[&framed(0, LONGEST_MESSAGE as u32 + 1, b"")]), Err(TooLong));
        assert_eq!(read(&[&framed(0, u32::MAX, b"")]), Err(TooLong));
        assert_eq!(read(&[&framed(1, u32::MAX, b"")]), Err(Compressed));
        assert_eq!(read(&[&framed(0, 1, b"ab")]), Err(Broken));
        assert_eq!(read(&[&framed(0, 0, b""), b"", &framed(0, 0, b"")]), Err(Broken));
        assert_eq!(read(&[&framed(0, 2, b"a")]), Err(Broken));
    }
}
