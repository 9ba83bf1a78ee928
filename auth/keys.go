package auth

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
)

// Issuer is the issuer (iss) of tokens that are signed with keys of our own.
const Issuer = "groundwork"

// algorithms are those that tokens may be signed with. "none" is none of them.
var algorithms = []jose.SignatureAlgorithm{jose.HS256, jose.HS384, jose.HS512, jose.ES256, jose.ES384, jose.ES512, jose.RS256, jose.RS384, jose.RS512, jose.PS256, jose.EdDSA}

// Keys are keys of our own: a JSON Web Key Set (RFC 7517), each key with its "kid" and the one "alg" that it is for. A token names its
// key, and must be signed by that key's own algorithm: a public key is never taken for a secret.
type Keys struct{ set jose.JSONWebKeySet }

// minSecret is the least length of a shared secret in bytes, that of HS256's hash (RFC 7518, 3.2).
const minSecret = 32

// ReadKeys reads a key set from a file.
func ReadKeys(name string) (*Keys, error) {
	text, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	var set jose.JSONWebKeySet
	if err := json.Unmarshal(text, &set); err != nil {
		return nil, fmt.Errorf("%s is no JSON Web Key Set ({\"keys\": [{\"kty\": …}]}); `groundwork token key` makes one", name)
	}
	if len(set.Keys) == 0 {
		return nil, fmt.Errorf("%s has no keys; `groundwork token key` makes some", name)
	}
	for n, key := range set.Keys {
		if err := checkKey(set, key); err != nil {
			return nil, fmt.Errorf("%s: key %d (kid %q): %w", name, n+1, key.KeyID, err)
		}
	}
	return &Keys{set: set}, nil
}

func checkKey(set jose.JSONWebKeySet, key jose.JSONWebKey) error {
	secret, shared := key.Key.([]byte)
	hmac := len(key.Algorithm) > 1 && key.Algorithm[:2] == "HS"
	switch {
	case key.KeyID == "" || len(set.Key(key.KeyID)) > 1:
		return errors.New("give each key a \"kid\" of its own")
	case !slices.Contains(algorithms, jose.SignatureAlgorithm(key.Algorithm)):
		return fmt.Errorf("\"alg\" %q is unknown; give one of %v", key.Algorithm, algorithms)
	case !shared && !key.Valid():
		return errors.New("the key is not valid")
	case shared != hmac:
		return fmt.Errorf("a key of this type is not for %s", key.Algorithm)
	case shared && len(secret) < minSecret:
		return fmt.Errorf("the secret has %d bytes; give at least %d random ones", len(secret), minSecret)
	}
	return nil
}

// NewKey makes a key set with one new ES256 key, for signing and verifying.
func NewKey(kid string) ([]byte, error) {
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	return json.MarshalIndent(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: private, KeyID: kid, Algorithm: string(jose.ES256), Use: "sig"}}}, "", "  ")
}

// Public is the key set without what signs, for servers that only verify. Shared secrets are left out.
func (k *Keys) Public() ([]byte, error) {
	var public jose.JSONWebKeySet
	for _, key := range k.set.Keys {
		if _, shared := key.Key.([]byte); !shared {
			public.Keys = append(public.Keys, key.Public())
		}
	}
	if len(public.Keys) == 0 {
		return nil, errors.New("the key set holds shared secrets alone, which have no public half")
	}
	return json.MarshalIndent(public, "", "  ")
}

// Sign makes a token for the account, valid from now on for so long, signed with the first key that can sign.
func (k *Keys) Sign(account, audience string, now time.Time, valid time.Duration) (string, error) {
	for _, key := range k.set.Keys {
		if _, shared := key.Key.([]byte); !shared && key.IsPublic() {
			continue
		}
		signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.SignatureAlgorithm(key.Algorithm), Key: key.Key}, (&jose.SignerOptions{}).WithType("JWT").WithHeader("kid", key.KeyID))
		if err != nil {
			return "", fmt.Errorf("sign with key %q: %w", key.KeyID, err)
		}
		return jwt.Signed(signer).Claims(jwt.Claims{
			Issuer: Issuer, Subject: account, Audience: jwt.Audience{audience},
			IssuedAt: jwt.NewNumericDate(now), NotBefore: jwt.NewNumericDate(now), Expiry: jwt.NewNumericDate(now.Add(valid)),
		}).Serialize()
	}
	return "", errors.New("the key set holds public keys alone, which verify and do not sign; give the one with the private key")
}

// leeway is by how much the clocks of issuer and server may differ.
const leeway = time.Minute

// verify returns the subject of a token.
func (k *Keys) verify(token, audience string, now time.Time) (account string, err error) {
	parsed, err := jwt.ParseSigned(token, algorithms)
	if err != nil {
		return "", err
	}
	if len(parsed.Headers) != 1 {
		return "", errors.New("one signature is expected")
	}
	header := parsed.Headers[0]
	found := k.set.Key(header.KeyID)
	if len(found) != 1 || header.KeyID == "" {
		return "", fmt.Errorf("key %q is unknown", header.KeyID)
	}
	if found[0].Algorithm != header.Algorithm {
		return "", fmt.Errorf("key %q is not for %s", header.KeyID, header.Algorithm)
	}
	var claims jwt.Claims
	if err := parsed.Claims(verifying(found[0]), &claims); err != nil {
		return "", err
	}
	if claims.Expiry == nil {
		return "", errors.New("the token never expires")
	}
	expected := jwt.Expected{Issuer: Issuer, AnyAudience: jwt.Audience{audience}, Time: now}
	if err := claims.ValidateWithLeeway(expected, leeway); err != nil {
		return "", err
	}
	return claims.Subject, nil
}

func verifying(key jose.JSONWebKey) crypto.PublicKey {
	if secret, shared := key.Key.([]byte); shared {
		return secret
	}
	return key.Public().Key
}
