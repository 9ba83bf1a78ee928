-- How many issues came in where, and from when to when there are any, is asked of all issues at once, so the engine keeps it with each part of the base:
-- rows of (generation, batch, place, category), which go in and out with the part's own. A part without the sums would be left out where they are read,
-- so the base begins anew.

-- +goose Up
ALTER TABLE f_issue_base{{.OnCluster}} ADD PROJECTION by_place (
    SELECT gen, batch, region_id, category_id, equals(state, 'MERGED'),
        sum(w), sum(multiply(w, minus(greatest(opinion_count, 1), 1))),
        min(if(greater(w, 0), origin_at, NULL)), max(if(greater(w, 0), origin_at, NULL)), min(if(less(w, 0), origin_at, NULL)),
        max(if(greater(w, 0), observed_until, NULL)), max(if(less(w, 0), observed_until, NULL)), sum(if(isNull(observed_until), w, 0))
    GROUP BY gen, batch, region_id, category_id, equals(state, 'MERGED'));

TRUNCATE TABLE f_issue_base{{.OnCluster}};

-- +goose Down
SELECT throwIf(1, 'forward only');
