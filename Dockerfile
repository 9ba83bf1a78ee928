# groundwork alone: it is given real Postgres and ClickHouse servers, so that no engine is in the image.
FROM node:22-slim AS pages
WORKDIR /src
COPY package.json package-lock.json ./
RUN npm ci --ignore-scripts --omit=optional --no-audit --no-fund
COPY web ./web
RUN npm run --silent graphiql

FROM golang:1.26 AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
COPY --from=pages /src/web/graphiql/dist ./web/graphiql/dist
RUN CGO_ENABLED=0 go build -trimpath -o /groundwork ./cmd/groundwork

FROM gcr.io/distroless/base-debian12:nonroot
COPY --from=build /groundwork /groundwork
ENTRYPOINT ["/groundwork"]
CMD ["up"]
