package spring

import (
	"path/filepath"
	"strings"
)

// IsFile says that a file is one of Spring's by its name: any .properties, and application.yml or one beside it for a profile.
func IsFile(path string) bool {
	name := strings.ToLower(filepath.Base(path))
	return strings.HasSuffix(name, ".properties") ||
		strings.HasPrefix(name, "application") && (strings.HasSuffix(name, ".yml") || strings.HasSuffix(name, ".yaml"))
}

// In are the files that Spring looks for in a directory; the one that counts most is the last.
func In(directory string) []Place {
	var places []Place
	for _, name := range []string{"application.yaml", "application.yml", "application.properties"} {
		places = append(places, Place{Path: filepath.Join(directory, name), Optional: true})
	}
	return places
}

// Locations reads spring.config.location: directories end in a slash, a comma begins a new group, a semicolon does not, and optional: is for
// what need not be there. What is within a jar (classpath:) is returned apart: nobody but Java can read it.
func Locations(text string) (groups [][]Place, packaged []string) {
	for _, part := range split(text) {
		var group []Place
		for _, location := range strings.Split(part, ";") {
			location, optional := strings.CutPrefix(strings.TrimSpace(location), "optional:")
			if strings.HasPrefix(location, "classpath:") {
				packaged = append(packaged, location)
				continue
			}
			path := plainPath(location)
			switch {
			case path == "":
			case strings.HasSuffix(path, "/") || strings.HasSuffix(path, `\`):
				group = append(group, In(path)...)
			default:
				group = append(group, Place{Path: filepath.Clean(path), Optional: optional})
			}
		}
		if len(group) > 0 {
			groups = append(groups, group)
		}
	}
	return groups, packaged
}

// plainPath takes off what makes a path a URL.
func plainPath(location string) string {
	path, isURL := strings.CutPrefix(location, "file:")
	if isURL && strings.HasPrefix(path, "//") {
		// file:///etc/x has an empty host, file://localhost/etc/x says the same.
		path = strings.TrimPrefix(strings.TrimPrefix(path, "//"), "localhost")
	}
	return path
}

// Resource is the path of a resource: what has file: before it is a file, what has classpath: or nothing is looked for beside the file that
// names it, for there is no jar.
func Resource(location, beside string) string {
	location = strings.TrimSpace(location)
	if packaged, inJar := strings.CutPrefix(location, "classpath:"); inJar {
		return filepath.Join(filepath.Dir(beside), strings.TrimLeft(packaged, "/"))
	}
	path := plainPath(location)
	if strings.HasPrefix(location, "file:") || filepath.IsAbs(path) || path == "" {
		return path
	}
	return filepath.Join(filepath.Dir(beside), path)
}
