#!/bin/sh
# Makes an environment in the folder .venv beside this file, from the wheels of the kit: no network is needed.
# PYTHON=/path/to/python sh install.sh takes another Python.
set -eu
cd "$(dirname "$0")"
case "$(uname -s)-$(uname -m)" in
{% for system, machine in (("linux", "Linux-x86_64"), ("macos", "Darwin-arm64")) if system in targets|map(attribute="system") %}
    {{ machine }}) system={{ system }} ;;
{% endfor %}
    *) echo "install.sh: this kit has no wheels for $(uname -s) on $(uname -m); ask the host" >&2; exit 1 ;;
esac
for python in "${PYTHON:-}" {% for version in targets|map(attribute="python")|unique %}python{{ version }} {% endfor %}python3 python; do
    if [ -n "$python" ] && "$python" -c 'import sys; sys.exit("%d.%d" % sys.version_info[:2] not in "{{ targets|map(attribute="python")|unique|join(" ") }}".split())' 2>/dev/null; then
        "$python" -m venv .venv
        .venv/bin/python -m pip install --quiet --no-index --find-links wheels/any --find-links "wheels/$system" {% for each in requirements %}"{{ each }}" {% endfor %}

        exec .venv/bin/tutorial-zarr workshop verify plan.toml
    fi
done
echo "install.sh: expected Python {{ targets|map(attribute="python")|unique|join(" or ") }}, found none; install it, or name it: PYTHON=/path/to/python sh install.sh" >&2
exit 1
