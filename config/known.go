package config

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// instance is a setting of the registry under a name that exists.
type instance struct {
	Setting
	parts    []string
	inherits string // key of the same setting in defaults; empty for none
	opens    bool   // it names the file of the secret before it, and has no field
}

func (i instance) key() string  { return joined(i.parts) }
func (i instance) path() string { return printable(i.parts) }

// known is every setting that can be set, found by each of its names.
type known struct {
	instances []instance
	keys      map[string]instance
	paths     map[string]instance
	variables map[string]instance
	// nodes are all keys and all sections above them.
	nodes map[string]bool
}

// expand puts the names into the registry, and reports names that cannot be told apart.
func expand(consumers, topics []string) (*known, []*Mistake) {
	mistakes := slices.Concat(checkNames("consumers", consumers), checkNames("topics", topics))
	var all []instance
	for _, setting := range Registry() {
		parts := strings.Split(setting.Path, ".")
		names := map[string][]string{"consumers": consumers, "topics": topics}[parts[0]]
		if len(parts) < 2 || parts[1] != named {
			one := instance{Setting: setting, parts: parts}
			all = append(all, one)
			if setting.Secret() {
				all = append(all, secretFile(one))
			}
			continue
		}
		inherits := ""
		if !setting.OneOnly {
			inherits = joined(with(parts, shared))
			all = append(all, instance{Setting: setting, parts: with(parts, shared)})
		}
		for _, name := range names {
			own := setting
			if setting.OneOnly {
				own.Default = name
			}
			all = append(all, instance{Setting: own, parts: with(parts, name), inherits: inherits})
		}
	}
	k := index(all)
	k.nodes["plugins"] = true
	return k, mistakes
}

func with(parts []string, name string) []string {
	result := slices.Clone(parts)
	result[1] = name
	return result
}

func index(all []instance) *known {
	k := &known{keys: map[string]instance{}, paths: map[string]instance{}, variables: map[string]instance{}, nodes: map[string]bool{}}
	for _, one := range all {
		variable := environmentName(one.parts)
		if _, taken := k.variables[variable]; taken {
			continue // checkNames has reported it
		}
		k.instances = append(k.instances, one)
		k.variables[variable], k.keys[one.key()], k.paths[one.path()] = one, one, one
		for depth := range one.parts {
			k.nodes[joined(one.parts[:depth+1])] = true
		}
	}
	return k
}

// checkNames reports names that cannot stand in a path, or that cannot be told apart in the environment.
func checkNames(section string, names []string) []*Mistake {
	legal := regexp.MustCompile(`^[A-Za-z0-9._-]+$`)
	taken := map[string]string{environmentName([]string{shared}): shared}
	var mistakes []*Mistake
	for _, name := range names {
		variable := environmentName([]string{name})
		other, clash := taken[variable]
		reason := ""
		switch {
		case !legal.MatchString(name):
			reason = "a name has letters, digits, . _ and - only"
		case name == shared:
			reason = "defaults is what counts for all of them"
		case name == other:
			reason = "there are two of this name"
		case clash:
			reason = fmt.Sprintf("its variables %s_%s_… are those of %s too", environmentName([]string{section}), strings.TrimPrefix(variable, environmentPrefix), other)
		}
		if reason != "" {
			mistakes = append(mistakes, &Mistake{Path: section + "." + name, Reason: reason, Advice: "give it another name in the code"})
		}
		taken[variable] = name
	}
	return mistakes
}

// nearest returns the candidate that somebody most likely meant: the one with the fewest edits of its whole path, or of its last part when
// that stands at the wrong place (which counts as three). Capitals, hyphens and underscores count nothing; of equals the one whose whole
// path is nearer wins, then the first.
func nearest(wrong string, candidates []string) string {
	best, fewest, nearer := "", -1, -1
	for _, candidate := range candidates {
		whole, ends := distance(plain(wrong), plain(candidate)), distance(plain(last(wrong)), plain(last(candidate)))
		if ends > len(plain(last(wrong)))/2 {
			whole++ // another short name at the same place is not what was meant
		}
		edits := min(whole, 3+ends)
		if fewest < 0 || edits < fewest || edits == fewest && whole < nearer {
			best, fewest, nearer = candidate, edits, whole
		}
	}
	return best
}

func last(path string) string { return path[strings.LastIndex(path, ".")+1:] }

func plain(text string) string {
	return strings.NewReplacer("_", "", "-", "").Replace(strings.ToLower(text))
}

// distance is Levenshtein's, in bytes, of texts cut to a length that keeps hostile ones cheap.
func distance(a, b string) int {
	a, b = a[:min(len(a), 100)], b[:min(len(b), 100)]
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			change := diagonal
			if a[i] != b[j] {
				change++
			}
			diagonal = row[j+1]
			row[j+1] = min(change, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
