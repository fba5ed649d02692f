"""The zip: ours alone, the same bytes every time, and known to run before it is uploaded."""

import zipfile
from pathlib import Path

import pytest

from infra.package import Package, build
from infra.verify import library_problem, problems

ELF_X86_64 = b"\x7fELF\x02\x01" + bytes(12) + b"\x3e\x00"
ELF_ARM64 = b"\x7fELF\x02\x01" + bytes(12) + b"\xb7\x00"


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Package:
    """The package without its dependencies, which `make package` downloads."""
    return build("dev", tmp_path_factory.mktemp("package"), dependencies=False)


def names(package: Package) -> set[str]:
    """What the zip holds."""
    with zipfile.ZipFile(package.zip) as archive:
        return set(archive.namelist())


def test_the_zip_is_the_app_and_nothing_of_the_machine(package: Package) -> None:
    """app.py, chalicelib and Chalice's own two files; no tests, no local system, no infrastructure, no boto3."""
    assert {n.partition("/")[0] for n in names(package)} == {"app.py", "chalicelib", "chalice", "__pycache__"}


def test_every_module_has_its_bytecode(package: Package) -> None:
    """Lambda cannot write bytecode, so that what is not in the zip is compiled at every cold start."""
    found = names(package)
    sources = [Path(n) for n in found if n.endswith(".py")]
    assert all(any(p.startswith(f"{s.parent}/__pycache__/{s.stem}.".lstrip("./")) for p in found) for s in sources)


def test_equal_sources_are_equal_bytes(package: Package, tmp_path: Path) -> None:
    """A deployment of the same commit changes no function."""
    again = build("dev", tmp_path, dependencies=False)
    assert again.zip.read_bytes() == package.zip.read_bytes()


def test_a_zip_that_does_not_import_is_found_out(package: Package) -> None:
    """A package that is missing shows at `make package`, not at the first request."""
    (problem,) = problems(package.zip)
    assert "ModuleNotFoundError" in problem


def test_a_zip_without_the_app_is_found_out(tmp_path: Path) -> None:
    """An empty zip is refused by name of what it lacks."""
    with zipfile.ZipFile(tmp_path / "z.zip", "w") as archive:
        archive.writestr("other.py", "")
    assert problems(tmp_path / "z.zip") == ["app.py is missing", "chalicelib is missing"]


@pytest.mark.parametrize(
    ("content", "want"),
    [
        (ELF_X86_64 + b"GLIBC_2.17\0GLIBC_2.4\0", None),
        (ELF_X86_64 + b"GLIBC_2.17\0GLIBC_2.38\0", "x.so needs glibc 2.38"),
        (ELF_ARM64, "x.so is not for 64-bit x86 Linux"),
        (b"MZ", "x.so is not for 64-bit x86 Linux"),
    ],
)
def test_a_library_for_another_system_is_found_out(content: bytes, want: str | None) -> None:
    """Lambda's glibc and processor are not this machine's."""
    assert library_problem("x.so", content) == want
