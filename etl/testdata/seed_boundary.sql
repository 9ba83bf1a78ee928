-- Outlines and neighbours of regions.
BEGIN;
INSERT INTO region (id, code, level, parent_id, name) VALUES
  ('f0000000-0000-7000-8000-000000000003', '430200000000', 'PREFECTURE', '00000000-0000-7000-8000-000000000001', 'B市');
INSERT INTO region_boundary (region_id, geojson, south, west, north, east, latitude, longitude, source) VALUES
  ('f0000000-0000-7000-8000-000000000002', '{"type":"Polygon","coordinates":[[[0,0],[1,0],[1,1],[0,0]]]}', 0, 0, 1, 1, 0.3333333333333333, 0.6666666666666666, 'seed'),
  ('f0000000-0000-7000-8000-000000000003', '{"type":"MultiPolygon","coordinates":[[[[1,0],[2,0],[2,1],[1,0]]]]}', -0.0, 1, 1, 2, 1e-300, 1.5, E'tab\t');
INSERT INTO region_neighbour (region_id, neighbour_id, source, valid_from, valid_to) VALUES
  ('f0000000-0000-7000-8000-000000000002', 'f0000000-0000-7000-8000-000000000003', 'BORDER', NULL, '2299-12-31');
COMMIT;
