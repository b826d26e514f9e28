# Makes an environment in the folder .venv beside this file, from the wheels of the kit: no network is needed.
# In the kit's folder: powershell -ExecutionPolicy Bypass -File install.ps1
Set-Location $PSScriptRoot
{% if "windows" in targets|map(attribute="system") %}
foreach ($version in {% for version in targets|map(attribute="python")|unique %}"{{ version }}"{{ "" if loop.last else ", " }}{% endfor %}) {
    & py "-$version" -m venv .venv
    if ($LASTEXITCODE -eq 0) {
        & .venv\Scripts\python.exe -m pip install --quiet --no-index --find-links wheels\any --find-links wheels\windows {% for each in requirements %}"{{ each }}" {% endfor %}

        if ($LASTEXITCODE -ne 0) { exit 1 }
        & .venv\Scripts\tutorial-zarr.exe workshop verify plan.toml
        exit $LASTEXITCODE
    }
}
Write-Error "install.ps1: expected Python {{ targets|map(attribute="python")|unique|join(" or ") }}, found none; install it from python.org"
{% else %}
Write-Error "install.ps1: this kit has no wheels for Windows; ask the host"
{% endif %}
exit 1
