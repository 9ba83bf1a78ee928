package postgres_test

import (
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"groundwork"
	"groundwork/postgres"
)

func (o *office) wave(t testing.TB) *groundwork.SurveyWave {
	t.Helper()
	w, _, err := o.OpenSurveyWave(t.Context(), groundwork.Actor{ID: "s", Role: groundwork.RoleSupervisor}, groundwork.SurveyWave{Title: "Spring", RegionID: o.province.ID,
		ReportLevel: groundwork.Prefecture, ClosesAt: o.clock.Now().AddDate(0, 0, 30)})
	require.NoError(t, err)
	return w
}

func TestSurveyWavesAreExamined(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	by := groundwork.Actor{ID: "s", Role: groundwork.RoleSupervisor}
	good := groundwork.SurveyWave{Title: "Spring", RegionID: o.city.ID, ReportLevel: groundwork.County, OpensAt: o.clock.Now(), ClosesAt: o.clock.Now().AddDate(0, 1, 0)}
	for field, change := range map[string]func(*groundwork.SurveyWave){
		"title":       func(w *groundwork.SurveyWave) { w.Title = "" },
		"regionId":    func(w *groundwork.SurveyWave) { w.RegionID = uuid.New() },
		"reportLevel": func(w *groundwork.SurveyWave) { w.ReportLevel = groundwork.Province }, // above the city
		"closesAt":    func(w *groundwork.SurveyWave) { w.ClosesAt = w.OpensAt.AddDate(2, 0, 0) },
	} {
		w := good
		change(&w)
		_, _, err := o.OpenSurveyWave(t.Context(), by, w)
		require.Equal(t, field, shown(err).Field, "%v", err)
	}
	_, _, err := o.OpenSurveyWave(t.Context(), by, good)
	require.NoError(t, err)
}

func TestATokenIsForOneResponse(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	ctx, by := t.Context(), groundwork.Actor{ID: "s", Role: groundwork.RoleSupervisor}
	w := o.wave(t)
	issue := func(region uuid.UUID, n int) (*groundwork.SurveyBatch, error) {
		b, _, err := o.IssueSurveyTokens(ctx, by, groundwork.SurveyBatch{WaveID: w.ID, RegionID: region, SiteKind: new(groundwork.School), Tokens: n})
		return b, err
	}
	_, err := issue(o.province.ID, 1)
	require.Equal(t, "regionId", shown(err).Field, "results are told for prefectures: %v", err)
	_, err = issue(o.city.ID, 1001)
	require.Equal(t, "count", shown(err).Field)
	batch, err := issue(o.city.ID, 3)
	require.NoError(t, err)
	require.Len(t, batch.Secrets, 3)

	said := groundwork.SurveyResponse{Token: batch.Secrets[0], Gain: 4, Happiness: 5, Security: 1}
	for field, change := range map[string]func(*groundwork.SurveyResponse){
		"gain": func(r *groundwork.SurveyResponse) { r.Gain = 0 }, "security": func(r *groundwork.SurveyResponse) { r.Security = 6 },
		"token": func(r *groundwork.SurveyResponse) { r.Token = "guess" },
	} {
		wrong := said
		change(&wrong)
		require.Equal(t, field, shown(o.SubmitSurveyResponse(ctx, wrong)).Field)
	}
	require.NoError(t, o.SubmitSurveyResponse(ctx, said))
	require.Equal(t, groundwork.CodeConflict, groundwork.CodeOf(o.SubmitSurveyResponse(ctx, said)), "one response a token")
	_, err = o.SurveyCounts(ctx, w.ID)
	require.Equal(t, groundwork.CodeTransition, groundwork.CodeOf(err), "who watches results grow sees single responses")

	o.clock.advance(31 * 24 * time.Hour)
	said.Token = batch.Secrets[1]
	require.Equal(t, groundwork.CodeTransition, groundwork.CodeOf(o.SubmitSurveyResponse(ctx, said)), "over")
	_, err = issue(o.city.ID, 1)
	require.Equal(t, groundwork.CodeTransition, groundwork.CodeOf(err))
	counts, err := o.SurveyCounts(ctx, w.ID)
	require.NoError(t, err)
	require.Equal(t, []groundwork.SurveyCount{{RegionID: o.city.ID, SiteKind: groundwork.School, Responses: 1, Gain: 1, Happiness: 1}}, counts)
	_, err = o.SurveyCounts(ctx, uuid.New())
	require.Equal(t, groundwork.CodeNotFound, groundwork.CodeOf(err))
}

// Nothing tells who answered, and the API's role cannot answer for anybody.
func TestResponsesBelongToNobody(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	ctx := t.Context()
	w := o.wave(t)
	batch, _, err := o.IssueSurveyTokens(ctx, groundwork.Actor{ID: "s", Role: groundwork.RoleSupervisor}, groundwork.SurveyBatch{WaveID: w.ID, RegionID: o.city.ID, Tokens: 2})
	require.NoError(t, err)
	require.NoError(t, o.SubmitSurveyResponse(ctx, groundwork.SurveyResponse{Token: batch.Secrets[0], Gain: 4, Happiness: 5, Security: 1}))
	for _, check := range []string{
		"SELECT 1 / (count(*) = 0)::int FROM audit.entry WHERE noun IN ('survey_token', 'survey_response') OR operation = 'submit survey response'",
		"SELECT 1 / (count(*) = 1)::int FROM audit.entry WHERE noun = 'survey_batch'",
		"SELECT 1 / (count(*) = 0)::int FROM mutation_receipt",
		"SELECT 1 / (count(*) = 0)::int FROM information_schema.columns WHERE table_name = 'survey_response' AND (data_type LIKE 'timestamp%' OR column_name LIKE '%by%')",
		"SELECT 1 / (substr(id::text, 15, 1) = '4')::int FROM survey_response", // random: no time in it
	} {
		require.NoError(t, o.sql(check), check)
	}
	require.ErrorContains(t, o.sql("UPDATE survey_token SET spent = false"), "spent once", "not even the owner")
	require.ErrorContains(t, o.sql("UPDATE survey_response SET gain = 5"), "append-only")
	require.ErrorContains(t, o.sql("DELETE FROM survey_response"), "append-only")
	app := connectAs(t, o.dsn, postgres.RoleApp)
	for _, statement := range []string{"SELECT * FROM survey_response", "SELECT * FROM survey_token", "UPDATE survey_token SET spent = true", "DELETE FROM survey_token",
		"INSERT INTO survey_response (wave_id, region_id, gain, happiness, security, on_day) VALUES ('" + w.ID.String() + "', '" + o.city.ID.String() + "', 5, 5, 5, now())",
		"INSERT INTO survey_token (digest, batch_id) VALUES (sha256('x'), '" + batch.ID.String() + "')"} {
		require.True(t, refused(t, app, statement), statement)
	}
	_, err = app.Exec(ctx, "SELECT survey_tokens($1, ARRAY[sha256('x'), sha256('y')])", batch.ID)
	require.ErrorContains(t, err, "other tokens", "a batch has its tokens, and no more")
}
