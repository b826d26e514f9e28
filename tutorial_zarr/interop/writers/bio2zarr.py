# /// script
# requires-python = ">=3.12"
# dependencies = ["bio2zarr[vcf]==0.2.1", "pysam==0.23.3"]
# ///
"""bio2zarr, which turns VCF files of genotypes into VCF Zarr."""

import warnings

import numpy as np
import pysam
from bio2zarr import vcf
from writer_protocol import Meant, serve, situation

warnings.simplefilter("ignore")
HEAD = """##fileformat=VCFv4.3
##contig=<ID=1,length=1000>
##FORMAT=<ID=GT,Number=1,Type=String,Description="Genotype">
##FORMAT=<ID=DP,Number=1,Type=Integer,Description="Depth">
#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\tone\ttwo
1\t10\t.\tA\tC\t.\tPASS\t.\tGT:DP\t0/1:12\t0/0:0
1\t20\t.\tG\tT\t.\tPASS\t.\tGT:DP\t./.:.\t1/1:7
"""


@situation("turns a VCF file with a genotype that is not known into VCF Zarr")
def genotypes(path):
    text, packed = path.parent / "v.vcf", path.parent / "v.vcf.gz"
    text.write_text(HEAD)
    pysam.tabix_compress(str(text), str(packed), force=True)
    pysam.tabix_index(str(packed), preset="vcf", force=True)
    vcf.convert([str(packed)], str(path / "v.vcz"))
    called = np.array([[[0, 1], [0, 0]], [[-1, -1], [1, 1]]])
    return [
        Meant("v.vcz/call_genotype", called, raw=called),
        Meant("v.vcz/call_DP", np.ma.masked_equal([[12, 0], [-1, 7]], -1), raw=np.array([[12, 0], [-1, 7]])),
        Meant("v.vcz/variant_position", np.array([10, 20])),
    ]


if __name__ == "__main__":
    serve("bio2zarr", "bio2zarr", "zarr", "numpy")
