package groundwork

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/google/uuid"
)

// Contact says who a reporter is and how to reach them. It stands in the vault alone, encrypted; a citizen may leave any of it out.
type Contact struct {
	Name     string `json:",omitempty"`
	Phone    string `json:",omitempty"`
	Email    string `json:",omitempty"`
	IDNumber string `json:",omitempty"`
	Address  string `json:",omitempty"`
}

// maxContact bounds a part of a contact, in characters.
const maxContact = 200

// Validate examines the parts of a contact, as those of an input field.
func (c Contact) Validate() error {
	for field, value := range map[string]string{"name": c.Name, "phone": c.Phone, "email": c.Email, "idNumber": c.IDNumber, "address": c.Address} {
		if utf8.RuneCountInString(value) > maxContact || strings.ContainsRune(value, 0) {
			return Invalid("contact."+field, "%s is a text of at most %d characters", field, maxContact)
		}
	}
	return nil
}

func (c *Contact) validate() error {
	if c == nil {
		return nil
	}
	return c.Validate()
}

// Given is the contact without spaces around its parts; nil if nothing is left.
func (c *Contact) Given() *Contact {
	if c == nil {
		return nil
	}
	trimmed := Contact{strings.TrimSpace(c.Name), strings.TrimSpace(c.Phone), strings.TrimSpace(c.Email), strings.TrimSpace(c.IDNumber), strings.TrimSpace(c.Address)}
	if trimmed == (Contact{}) {
		return nil
	}
	return &trimmed
}

// OfficialName says who an official is.
type OfficialName struct {
	OfficialID  uuid.UUID `json:"-"`
	Name, Phone string
}

// Validate examines who an official is said to be.
func (n OfficialName) Validate() error {
	if err := named(n.Name); err != nil {
		return err
	}
	return Contact{Name: n.Name, Phone: n.Phone}.Validate()
}

// VaultKeys encrypt identities (AES-256-GCM). The first encrypts, all decrypt: so a new one is put in front, what the old one encrypted is
// encrypted anew (groundwork vault rekey), and the old one is taken away.
type VaultKeys []VaultKey

// VaultKey is one key, by an id that does not give it away.
type VaultKey struct {
	ID   []byte
	aead cipher.AEAD
}

// NewVaultKey makes a key of 32 bytes ready.
func NewVaultKey(key []byte) (VaultKey, error) {
	block, err := aes.NewCipher(key)
	if err != nil {
		return VaultKey{}, fmt.Errorf("key of the vault: %w", err)
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		return VaultKey{}, fmt.Errorf("key of the vault: %w", err)
	}
	sum := sha256.Sum256(append([]byte("groundwork vault key "), key...))
	return VaultKey{sum[:8], aead}, nil
}

// Sealed is an identity as the database holds it.
type Sealed struct{ KeyID, Box []byte }

// On reports whether there is a key.
func (k VaultKeys) On() bool { return len(k) > 0 }

// Seal encrypts what is known of somebody. It opens for nobody else: the box is bound to whom it is about.
func (k VaultKeys) Seal(about uuid.UUID, what any) (Sealed, error) {
	if !k.On() {
		return Sealed{}, Invalid("contact", "this server keeps no identities; leave them out, or name a key by --vault-key (GROUNDWORK_VAULT_KEY)")
	}
	text, err := json.Marshal(what)
	if err != nil {
		return Sealed{}, fmt.Errorf("seal an identity: %w", err)
	}
	return Sealed{KeyID: k[0].ID, Box: k[0].aead.Seal(nil, nil, text, about[:])}, nil
}

// Open decrypts what Seal encrypted.
func (k VaultKeys) Open(about uuid.UUID, s Sealed, into any) error {
	at := slices.IndexFunc(k, func(key VaultKey) bool { return slices.Equal(key.ID, s.KeyID) })
	if at < 0 {
		return Errorf(CodeUnavailable, "the vault holds an identity under key %s, which --vault-key does not have; add that key behind the others", hex.EncodeToString(s.KeyID))
	}
	text, err := k[at].aead.Open(nil, nil, s.Box, about[:])
	if err != nil {
		return fmt.Errorf("the identity of %s was tampered with: %w", about, err)
	}
	return json.Unmarshal(text, into)
}

// CheckPurpose examines why somebody wants to know, for the log.
func CheckPurpose(field, why string) error { return saysWhy(field, why, "it is logged") }

// ContactFacts is what decides who may know who gave an opinion.
type ContactFacts struct {
	Confidentiality string
	RecordedBy      string
	State           *State // of its issue; nil if it has none
	InHand          bool   // the actor's unit has the issue
	Had             bool   // the actor's unit has it, or had it
	Carried         bool   // the actor's official carries the case
	Reached         bool   // it lies in the regions that the actor is bound to
}

// Check says whether an actor needs to know: who handles the issue, while it is open; who calls back, while a claim awaits the verdict; who took the
// opinion in, until it is closed; the privacy officer of the region always. Nobody, where it was told in confidence.
func (f ContactFacts) Check(by Actor) error {
	open := f.State != nil && f.State.Open()
	may, who := false, ""
	switch by.Role {
	case RolePrivacyOfficer:
		may, who = f.Reached, "it lies outside of what this privacy officer reaches; ask the one of its region"
	case RoleIntake:
		may, who = f.RecordedBy == by.ID && (f.State == nil || *f.State != Closed), "the intake reads whom it took in, until the issue is closed"
	case RoleHandler, RoleUnitHead:
		may, who = open && f.InHand, "a unit reads it while it has the issue"
	case RoleLeader:
		may, who = open && f.Carried, "an official reads it while carrying the case"
	case RoleCaller:
		may, who = f.State != nil && *f.State == Claimed && !f.Had, "callers read it while a claim awaits the verdict, and never of what their unit handled"
	default:
		return Errorf(CodeForbidden, "who reported is not for role %s", by.Role)
	}
	if f.Confidentiality == Confidential {
		return Errorf(CodeForbidden, "it was told in confidence: who reported stays unknown to everybody")
	}
	if !may {
		return Errorf(CodeForbidden, "who reported is not for you now: %s", who)
	}
	return nil
}

// ContactQuery asks who gave an opinion, or the opinions of an issue.
type ContactQuery struct {
	OpinionID, IssueID *uuid.UUID
	Purpose            string
}

// Validate examines a query.
func (q ContactQuery) Validate() error {
	return firstError(
		check((q.OpinionID == nil) != (q.IssueID == nil), "opinionId", "give either opinionId or issueId"),
		CheckPurpose("purpose", q.Purpose),
	)
}

// Reporter is somebody who reported, as far as they said.
type Reporter struct {
	PID uuid.UUID
	Contact
}

// MayNameOfficials reports whether an actor may know who officials are: where that counts for a person, or of itself.
func MayNameOfficials(by Actor, officials []uuid.UUID) error {
	switch by.Role {
	case RoleSupervisor, RoleAssessor, RolePrivacyOfficer, RoleSystem:
		return nil
	}
	for _, id := range officials {
		if by.OfficialID == nil || *by.OfficialID != id {
			return Errorf(CodeForbidden, "names of officials are for supervisors, assessors and the privacy officer; others read their own")
		}
	}
	return nil
}

// VaultStore keeps identities. Every reading is logged in the transaction that reads, or nothing is read.
type VaultStore interface {
	// ReadContacts tells who reported, to those who need it. Reporters who said nothing of themselves are left out.
	ReadContacts(ctx context.Context, by Actor, q ContactQuery) ([]Reporter, Receipt, error)
	NameOfficial(ctx context.Context, by Actor, n OfficialName) (Receipt, error)
	ReadOfficialNames(ctx context.Context, by Actor, ids []uuid.UUID, purpose string) ([]OfficialName, Receipt, error)
}
