-- Mirrors of where regions lie and which touch each other (postgres/migrations/00160_boundaries.sql): for maps and the measures of places.

-- +goose Up
CREATE TABLE d_region_boundary{{.OnCluster}} (
    region_id UUID, geojson String CODEC(ZSTD(3)), south Float64, west Float64, north Float64, east Float64, latitude Float64, longitude Float64,
    source String, created_at DateTime64(6, 'UTC'),
    _ver UInt128, _deleted UInt8
) ENGINE = {{.Replacing}} ORDER BY region_id SETTINGS {{.Durable}};

CREATE TABLE d_region_neighbour{{.OnCluster}} (
    region_id UUID, neighbour_id UUID, source LowCardinality(String), valid_from Nullable(Date32), valid_to Nullable(Date32), created_at DateTime64(6, 'UTC'),
    _ver UInt128, _deleted UInt8
) ENGINE = {{.Replacing}} ORDER BY (region_id, neighbour_id) SETTINGS {{.Durable}};

-- +goose Down
SELECT throwIf(1, 'forward only');
