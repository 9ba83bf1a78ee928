-- The base tells the area of each issue: the county that its region lies in, or the region itself where it lies in none. Of a province with twenty thousand villages
-- cells by county, prefecture or province are then found through a hundred areas. Of each area the engine keeps how many issues ended, and were answered, how and after how many hours, with each part: what is asked of a
-- dashboard without any filter. tree is a digest of the regions that the areas were made of: when regions come, go
-- or move, the base is void.

-- +goose Up
TRUNCATE TABLE f_issue_base{{.OnCluster}};

ALTER TABLE f_issue_base{{.OnCluster}} DROP PROJECTION by_place;

ALTER TABLE f_issue_base{{.OnCluster}}
    ADD COLUMN area_id LowCardinality(String) AFTER region_id,
    ADD COLUMN tree UInt64 AFTER source;

ALTER TABLE f_issue_base{{.OnCluster}} ADD PROJECTION by_place (
    SELECT gen, batch, region_id, area_id, category_id, equals(state, 'MERGED'),
        sum(w), sum(multiply(w, minus(greatest(opinion_count, 1), 1))),
        min(if(greater(w, 0), origin_at, NULL)), max(if(greater(w, 0), origin_at, NULL)), min(if(less(w, 0), origin_at, NULL)),
        max(if(greater(w, 0), observed_until, NULL)), max(if(less(w, 0), observed_until, NULL)), sum(if(isNull(observed_until), w, 0))
    GROUP BY gen, batch, region_id, area_id, category_id, equals(state, 'MERGED'));

ALTER TABLE f_issue_base{{.OnCluster}} ADD PROJECTION by_resolution (
    SELECT gen, batch, area_id, phase, resolution_end, resolution_point, claimed, judged, sum(w)
    GROUP BY gen, batch, area_id, phase, resolution_end, resolution_point, claimed, judged);

ALTER TABLE f_issue_base{{.OnCluster}} ADD PROJECTION by_response (
    SELECT gen, batch, area_id, phase, response_end, response_point, sum(w)
    GROUP BY gen, batch, area_id, phase, response_end, response_point);

-- +goose Down
SELECT throwIf(1, 'forward only');
