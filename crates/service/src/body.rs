//! Bodies that are made as they are sent, and one that breaks off.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body as HttpBody, Frame, SizeHint};

use super::permit::WorkPermit;
use firedrill_contract::Size;
use firedrill_server::answer::{Body, BoxError};

/// This many bytes of text in lines, made as they are sent; work until the last of them.
pub(super) struct Filler {
    left: u64,
    _permit: WorkPermit,
}

const LINE: &[u8; 64] = b"firedrill: this text only fills the body that you asked for ...\n";
const CHUNK: &[u8; 64 * 256] = &{
    let mut chunk = [0; 64 * 256];
    let mut i = 0;
    while i < chunk.len() {
        chunk[i] = LINE[i % LINE.len()];
        i += 1;
    }
    chunk
};

impl Filler {
    pub(super) fn new(size: Size, permit: WorkPermit) -> Self {
        Self { left: size.bytes(), _permit: permit }
    }
}

impl HttpBody for Filler {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        if self.left == 0 {
            return Poll::Ready(None);
        }
        let length = usize::try_from(self.left).map_or(CHUNK.len(), |left| left.min(CHUNK.len()));
        self.left -= length as u64;
        Poll::Ready(Some(Ok(Frame::data(Bytes::from_static(&CHUNK[..length])))))
    }

    fn is_end_stream(&self) -> bool {
        self.left == 0
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left)
    }
}

/// A body that announces all of its length and breaks off after half.
pub(super) struct Truncated {
    body: Body,
    left: u64,
    /// Waits once before it breaks off, so that the first half is written out.
    paused: bool,
}

impl Truncated {
    pub(super) fn half(body: Body) -> Self {
        let left = body.size_hint().exact().unwrap_or(0) / 2;
        Self { body, left, paused: false }
    }
}

impl HttpBody for Truncated {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        if self.left == 0 {
            if self.paused {
                return Poll::Ready(Some(Err("truncated, as the request asked".into())));
            }
            self.paused = true;
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        let frame = std::task::ready!(Pin::new(&mut self.body).poll_frame(context));
        Poll::Ready(frame.map(|frame| {
            frame.map(|frame| match frame.into_data() {
                Ok(mut data) => {
                    data.truncate(usize::try_from(self.left).unwrap_or(usize::MAX));
                    self.left -= data.len() as u64;
                    Frame::data(data)
                }
                Err(other) => other,
            })
        }))
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
