package groundwork_test

import (
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"groundwork"
)

func TestSecretsOfOpinions(t *testing.T) {
	t.Parallel()
	key, other := groundwork.SecretKey("key"), groundwork.SecretKey("another")
	one, two := uuid.New(), uuid.New()
	secret := key.Of(one)
	require.Regexp(t, "^[A-Z2-7]{26}$", secret)
	require.Equal(t, secret, key.Of(one))
	require.NotEqual(t, secret, key.Of(two))
	require.NotEqual(t, secret, other.Of(one))
	require.Equal(t, secret, key.Again(one, groundwork.SecretDigest(secret)))
	require.Empty(t, other.Again(one, groundwork.SecretDigest(secret)), "made with another key")
	require.Empty(t, key.Again(one, nil), "an opinion of an import has none")

	none := groundwork.SecretKey(nil)
	drawn := none.Of(one)
	require.Regexp(t, "^[A-Z2-7]{26}$", drawn)
	require.NotEqual(t, drawn, none.Of(one), "without a key it is drawn")
	require.Empty(t, none.Again(one, groundwork.SecretDigest(drawn)))
}

func TestWithoutAnAccountARetryIsToldByARandomUUID(t *testing.T) {
	t.Parallel()
	for id, ok := range map[string]bool{
		"": true, "0b0e7a53-7d5c-4c53-9f0e-3f3a52a1c001": true, "0199A000-0000-7000-8000-000000000000": true,
		"m-1": false, "0b0e7a53-7d5c-1c53-9f0e-3f3a52a1c001": false, "0b0e7a537d5c4c539f0e3f3a52a1c001": false, "0b0e7a53-7d5c-4c53-9f0e-3f3a52a1c001x": false,
	} {
		by := groundwork.Anonymous
		by.Via.ClientMutationID = id
		if err := by.CheckRetry(); ok {
			require.NoError(t, err, id)
		} else {
			require.Equal(t, groundwork.CodeInvalid, groundwork.CodeOf(err), id)
			require.ErrorContains(t, err, "random UUID", id)
		}
		by.ID = "li"
		require.NoError(t, by.CheckRetry(), "an account has names of its own")
	}
}
