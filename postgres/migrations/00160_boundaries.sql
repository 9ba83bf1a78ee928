-- Where regions lie and which touch each other: for maps, and for the measures that look around a region (Gi*, scan, local rates, policies
-- whose effect spills over). Outlines are GeoJSON as text: nothing here computes with them, so no extension of the database is needed.

-- +goose Up
CREATE TABLE region_boundary (
    -- region: region_id; everybody may read where regions lie
    region_id   uuid PRIMARY KEY REFERENCES region ON DELETE CASCADE,
    geojson     text NOT NULL CHECK (geojson::jsonb ->> 'type' IN ('Polygon', 'MultiPolygon') AND jsonb_typeof(geojson::jsonb -> 'coordinates') = 'array'),
    south       double precision NOT NULL CHECK (south BETWEEN -90 AND 90),
    west        double precision NOT NULL CHECK (west BETWEEN -180 AND 180),
    north       double precision NOT NULL CHECK (north BETWEEN -90 AND 90 AND north > south),
    east        double precision NOT NULL CHECK (east BETWEEN -180 AND 180 AND east > west),
    latitude    double precision NOT NULL CHECK (latitude BETWEEN south AND north),
    longitude   double precision NOT NULL CHECK (longitude BETWEEN west AND east),
    source      text NOT NULL CHECK (source <> ''),
    created_at  timestamptz NOT NULL DEFAULT now(),
    recorded_by text NOT NULL DEFAULT current_user
);
COMMENT ON COLUMN region_boundary.geojson IS 'Geometry of RFC 7946, degrees of WGS 84: Polygon or MultiPolygon.';
COMMENT ON COLUMN region_boundary.latitude IS 'Of the centroid of the area, which may lie outside of a crooked region.';

CREATE TABLE region_neighbour (
    -- region: region_id; everybody may read which regions touch
    region_id    uuid NOT NULL REFERENCES region ON DELETE CASCADE,
    neighbour_id uuid NOT NULL REFERENCES region ON DELETE CASCADE,
    source       text NOT NULL CHECK (source IN ('BORDER', 'LIST')),
    valid_from   date,
    valid_to     date CHECK (valid_to > valid_from),
    created_at   timestamptz NOT NULL DEFAULT now(),
    recorded_by  text NOT NULL DEFAULT current_user,
    PRIMARY KEY (region_id, neighbour_id),
    CHECK (region_id < neighbour_id)
);
CREATE INDEX region_neighbour_other ON region_neighbour (neighbour_id);
COMMENT ON TABLE region_neighbour IS 'Each pair of regions that touch stands once, the lower id first.';
COMMENT ON COLUMN region_neighbour.source IS 'BORDER: computed from the outlines; LIST: somebody said so, such as of an island with a bridge.';

-- +goose StatementBegin
CREATE FUNCTION region_neighbour_of_one_level() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (SELECT count(DISTINCT level) FROM region WHERE id IN (NEW.region_id, NEW.neighbour_id)) <> 1 THEN
        RAISE EXCEPTION 'region_neighbour: % and % are not of one level', NEW.region_id, NEW.neighbour_id USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
-- +goose StatementEnd
CREATE TRIGGER region_neighbour_of_one_level BEFORE INSERT OR UPDATE ON region_neighbour FOR EACH ROW EXECUTE FUNCTION region_neighbour_of_one_level();

SELECT audit.watch('region_boundary', 'region_id');
SELECT audit.watch('region_neighbour', 'region_id', 'neighbour_id');

ALTER PUBLICATION groundwork ADD TABLE
    region_boundary (region_id, geojson, south, west, north, east, latitude, longitude, source, created_at),
    region_neighbour (region_id, neighbour_id, source, valid_from, valid_to, created_at);

-- +goose Down
SELECT 1 / 0; -- forward only
