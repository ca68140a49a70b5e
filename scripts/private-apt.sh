# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Packages of Debian without the system's apt state, for scripts to read: what
# is fetched is checked against Debian's keys, and the system's sources,
# preferences, architectures and installed packages stay as they are.
#
# Everything is below $work, which the caller made for apt's own user to enter:
# debs/ has what was downloaded, apt.log what apt said.

private_apt_keyring=/usr/share/keyrings/debian-archive-keyring.gpg

# The archives apt is set up with, one URI a line, the likeliest to be Debian's
# first; or NOTRAP_MIRROR.  What apt would download tells, whatever the format
# of its sources.
private_apt_mirrors()
{
	if [ -n "${NOTRAP_MIRROR:-}" ]; then
		printf '%s\n' "$NOTRAP_MIRROR"
		return
	fi
	apt-get update --print-uris 2>/dev/null |
		sed -n "s|^'\(.*\)/dists/\([^/]*\)/main/binary-.*|\2 \1|p" |
		awk '
			$1 ~ /-/ || $2 ~ /^cdrom:/ { next } # bookworm-updates
			{ print ($2 !~ /\/debian$/), $2 }
		' | sort -s -k1,1n | cut -d' ' -f2- | awk '!seen[$0]++'
}

# An apt that shares the proxies and passwords of the system's configuration
# and nothing else: own sources, lists, cache, and no preferences or hooks.
# $@: its architectures.
private_apt_configure()
{
	# shellcheck disable=SC2154 # work is the caller's
	mkdir -p "$work/state/lists/partial" "$work/cache/archives/partial" \
		"$work/debs"
	: >"$work/status"
	: >"$work/apt.log"
	cat >"$work/apt.conf" <<END
Dir::State "$work/state";
Dir::State::lists "$work/state/lists";
Dir::State::status "$work/status";
Dir::Cache "$work/cache";
Dir::Cache::archives "$work/cache/archives";
Dir::Cache::pkgcache "";
Dir::Cache::srcpkgcache "";
Dir::Etc::sourcelist "$work/sources.list";
Dir::Etc::sourceparts "/dev/null";
Dir::Etc::preferences "/dev/null";
Dir::Etc::preferencesparts "/dev/null";
#clear APT::Architectures;
APT::Architectures {$(printf ' "%s";' "$@") };
#clear APT::Update;
#clear APT::Default-Release;
#clear DPkg::Pre-Invoke;
#clear DPkg::Post-Invoke;
APT::Update::Error-Mode "any";
APT::Get::AllowUnauthenticated "false";
Acquire::AllowInsecureRepositories "false";
Acquire::Languages "none";
Acquire::Retries "2";
Acquire::http::Timeout "30";
Acquire::https::Timeout "30";
END
}

# Reads the lists of mirror $1, suite $2, architectures $3 ("amd64,i386").
private_apt_update()
{
	options="target=Packages arch=$3"
	[ ! -r "$private_apt_keyring" ] ||
		options="$options signed-by=$private_apt_keyring"
	(
		umask 077 # a URI may carry a password
		echo "deb [$options] $1 $2 main" >"$work/sources.list"
	)
	LC_ALL=C apt-get -q -c "$work/apt.conf" update \
		>>"$work/apt.log" 2>&1 </dev/null
}

# $@: packages, "name" or "name:architecture".
private_apt_download()
{
	(
		cd "$work/debs" || exit
		LC_ALL=C apt-get -q -c "$work/apt.conf" download "$@"
	) >>"$work/apt.log" 2>&1 </dev/null
}

# Field $2 of package $1 as the lists have it; nothing: there is none.
private_apt_field()
{
	LC_ALL=C apt-cache -c "$work/apt.conf" show --no-all-versions "$1" \
		2>/dev/null </dev/null | sed -n "s/^$2: //p" | head -n 1
}

# The first line of apt's that says what went wrong, without passwords.
private_apt_errors()
{
	sed -n '/^E: /{s|//[^/@ ]*@|//|;p;q}' "$work/apt.log" >&2
}

# The mirrors that were tried, for a message.
private_apt_tried()
{
	sed 's|//[^/@ ]*@|//|' "$work/mirrors" | tr '\n' ' '
}
