# The bill of materials covers the sources too: the program itself no longer shows its crates.
ARG BUILDKIT_SBOM_SCAN_CONTEXT=true
FROM rust:1.95-slim-bookworm AS build
ARG TARGETPLATFORM
WORKDIR /src
COPY . .
ARG REVISION=unknown
ARG SOURCE_DATE_EPOCH=0
# Naming the host's own triple applies RUSTFLAGS to the program alone: build scripts and procedural macros cannot
# be linked statically. Remapped paths and a fixed date make the build reproducible.
# Sources keep the host's dates, which may be older than the cached build: touch them, so that cargo sees changes.
# The image's shell has no pipefail; if rustc fails, `cargo build --target ""` fails too.
# hadolint ignore=DL4006
RUN --mount=type=cache,id=firedrill-registry-$TARGETPLATFORM,sharing=locked,target=/usr/local/cargo/registry \
    --mount=type=cache,id=firedrill-target-$TARGETPLATFORM,sharing=locked,target=/src/target \
    triple="$(rustc -vV | sed -n 's/^host: //p')" \
 && export FIREDRILL_REVISION="$REVISION" SOURCE_DATE_EPOCH="$SOURCE_DATE_EPOCH" \
 && export RUSTFLAGS="-C target-feature=+crt-static --remap-path-prefix=/usr/local/cargo=cargo --remap-path-prefix=/src=." \
 && touch crates/*/src/*.rs \
 && cargo build --locked --release --package firedrill --target "$triple" \
 && install -D "target/$triple/release/firedrill" /out/firedrill \
 && install -D --mode=644 /etc/ssl/certs/ca-certificates.crt /out/etc/ssl/certs/ca-certificates.crt \
 && find /out -exec touch -h -d "@$SOURCE_DATE_EPOCH" {} +

FROM scratch
ARG VERSION=dev
ARG REVISION=unknown
ARG SOURCE=
LABEL org.opencontainers.image.title="firedrill" \
      org.opencontainers.image.description="The test button for your monitoring: a service that misbehaves on request, and the drill that checks whether anybody noticed." \
      org.opencontainers.image.licenses="MIT OR Apache-2.0" \
      org.opencontainers.image.source="$SOURCE" \
      org.opencontainers.image.version="$VERSION" \
      org.opencontainers.image.revision="$REVISION"
COPY --from=build /out/ /
USER 65532:65532
ENV FIREDRILL_LISTEN=0.0.0.0:8080
EXPOSE 8080
HEALTHCHECK --interval=2s --timeout=2s --start-period=10s --retries=3 \
    CMD ["/firedrill", "probe", "http://127.0.0.1:8080/health"]
ENTRYPOINT ["/firedrill"]
CMD ["serve"]
