"""What a launch would compile, for a device that is not there: a kernel that is launched here is compiled for sm_90."""

# pyright: reportMissingImports=false

import collections
import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

POINTERS = {"float32": "*fp32", "bfloat16": "*bf16", "int64": "*i64"}


class Compiled:
    """A kernel compiled for sm_90: its instructions, the widths of its memory accesses, and what a thread takes."""

    def __init__(self, binary):
        sass = binary.asm["sass"]
        lines = re.findall(r"^\S*:\S*\s+(?:@!?\w+\s+)?([A-Z][A-Z0-9_.]*)", sass, re.MULTILINE)
        self.instructions = [name for name in lines if name != "NOP"]
        self.opcodes = collections.Counter(name.split(".")[0] for name in self.instructions)
        self.usage = {name: int(value) for name, value in re.findall(r"(REG|STACK|LOCAL):(\d+)", self._usage(binary))}

    def counted(self, prefix):
        return sum(name == prefix or name.startswith(prefix + ".") for name in self.instructions)

    @staticmethod
    def _usage(binary):
        with tempfile.NamedTemporaryFile(suffix=".cubin") as file:
            file.write(binary.asm["cubin"])
            file.flush()
            return subprocess.run([tool(), "-res-usage", file.name], capture_output=True, text=True, check=True).stdout


class Launches:
    """In the place of a kernel: ``kernel[grid](...)`` compiles what it would launch, and keeps it."""

    def __init__(self, kernel):
        self.kernel, self.compiled = kernel, []

    def __getitem__(self, grid):
        return self.launched

    def launched(self, *args, **named):
        import triton
        from triton.backends.compiler import GPUTarget
        from triton.compiler import ASTSource

        names = self.kernel.arg_names
        constants = {name: value for name, value in named.items() if name in names}
        options = {name: value for name, value in named.items() if name not in names}
        given = zip(self.kernel.params, args)  # a launch makes a constant of a 1, unless it is told not to
        constants |= {p.name: 1 for p, arg in given if typed(arg) == "i32" and arg == 1 and not p.do_not_specialize}
        signature = {name: typed(arg) for name, arg in zip(names, args)} | dict.fromkeys(constants, "constexpr")
        wide = {place: [["tt.divisibility", 16]] for i, arg in enumerate(args) for place in pointers(arg, (i,))}
        source = ASTSource(fn=self.kernel, signature=signature, constexprs=constants, attrs=wide)
        self.compiled.append(Compiled(triton.compile(source, target=GPUTarget("cuda", 90, 32), options=options)))


def typed(arg):
    if isinstance(arg, tuple):
        return tuple(typed(each) for each in arg)
    if isinstance(arg, int):
        return "i32" if arg < 2**31 else "i64" if arg < 2**63 else "u64"
    if isinstance(arg, float):
        return "fp32"
    return POINTERS[str(arg.dtype).removeprefix("torch.")]


def pointers(arg, place):
    """Where the arrays are: PyTorch begins them at multiples of 16 bytes."""
    if isinstance(arg, tuple):
        return [deeper for k, each in enumerate(arg) for deeper in pointers(each, (*place, k))]
    return [] if isinstance(arg, int | float) else [place]


def tool():
    import triton

    own = Path(triton.__file__).parent / "backends" / "nvidia" / "bin" / "cuobjdump"
    return str(own) if os.access(own, os.X_OK) else shutil.which("cuobjdump")
