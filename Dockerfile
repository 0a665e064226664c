# Millrace as an image: one static binary, no shell, no package manager, a user without rights.

FROM golang:1.26.8-bookworm AS build
WORKDIR /src
# Modules first: this layer is built again only when a dependency changes.
COPY go.mod go.sum ./
RUN go mod download
COPY . .
# The data directory is made here because the last stage has no shell to make it in; a new volume takes its owner and mode from the image.
RUN CGO_ENABLED=0 go build -trimpath -ldflags='-s -w' -o /out/millrace ./cmd/millrace && mkdir -m 0700 /out/data

# Nothing but the binary and the authorities that TLS trusts.
FROM scratch
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
COPY --from=build /out/millrace /usr/local/bin/millrace
COPY --from=build --chown=65532:65532 /out/data /data
# By number, so that an orchestrator can see that it is not root.
USER 65532:65532
ENV MILLRACE_DATA_DIR=/data
VOLUME /data
ENTRYPOINT ["/usr/local/bin/millrace"]
CMD ["run"]
