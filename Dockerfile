# Millrace as an image: one static binary, no shell, no package manager, a user without rights.

FROM golang:1.26.8-bookworm AS build
WORKDIR /src
# Modules first: this layer is built again only when a dependency changes.
COPY go.mod go.sum ./
RUN go mod download
COPY . .
# The data directory is made here because the last stage has no shell to make it in; a new volume takes its owner and mode from the image.
# Without a git repository around, or with one of which only a part is here, the binary does not know its commit.
RUN git rev-parse --verify --quiet HEAD || export GOFLAGS=-buildvcs=false; \
    CGO_ENABLED=0 go build -trimpath -ldflags='-s -w' -o /out/millrace ./cmd/millrace && mkdir -m 0700 /out/data

# Nothing but the binary and the authorities that TLS trusts.
FROM scratch
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
COPY --from=build /out/millrace /usr/local/bin/millrace
COPY --from=build --chown=65532:65532 /out/data /data
# By number, so that an orchestrator can see that it is not root.
USER 65532:65532
ENV MILLRACE_DATA_DIR=/data
VOLUME /data
# There is no shell to ask with, so the binary asks its running process. Start: as long as brokers that are away are waited for (kafka.wait).
HEALTHCHECK --interval=15s --timeout=10s --start-period=60s --retries=3 CMD ["/usr/local/bin/millrace", "health", "--ready"]
# SIGTERM, Docker's own: work in flight ends, and what is finished is committed.
STOPSIGNAL SIGTERM
ENTRYPOINT ["/usr/local/bin/millrace"]
CMD ["run"]
