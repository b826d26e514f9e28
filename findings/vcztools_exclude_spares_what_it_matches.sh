#!/usr/bin/env bash
# vcztools' --exclude on a field with one value for each allele, once one record of the store has two of them.
#
# Versions   vcztools 0.2.0, bio2zarr 0.2.1, zarr 3.4.2, numpy 2.5.5, cyvcf2 0.35.0; bcftools as in pysam 0.24.1 (PyPI);
#            Python 3.12
# Input      two valid VCF files, converted with `vcf2zarr convert`: one has the records 100 (AF=0.5) and 200 (AF=0.1),
#            the other has a record 300 with two alternative alleles (AF=0.9,0.8) as well. AF is declared Number=A.
# Seen       positions that `query` lists for the expression AF>0.3:
#                          include, bcftools and vcztools    exclude, bcftools    exclude, vcztools
#            two records   100                               200                  200
#            three         100 300                           200                  100 200
#            Record 100 has not changed, but is excluded no longer, since the array of AF is now two wide, and the place
#            of the second allele, which 100 does not have, counts as "does not match": a record goes only if every
#            place matches. `view -e` keeps the same records. No warning. The README aims at complete compatibility.
# Why it matters: with -e one drops variants that are too common or too rare; in a real cohort, which always has some
#            record of two alleles, only records with the most alleles can be dropped; on a subset the command works.
# Fails (exit 1) when that changes. Needs python3.12 and PyPI; writes to a temporary folder. vcztools goes without its
# dependency ruranges_py, which is there as source in Rust only; pyranges, which it takes instead, is for regions.
set -euo pipefail
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT; cd "$work"
"${PYTHON:-python3.12}" -m venv v
v/bin/python -m pip install --quiet --disable-pip-version-check --no-deps vcztools==0.2.0
v/bin/python -m pip install --quiet --disable-pip-version-check --only-binary :all: bio2zarr==0.2.1 zarr==3.4.2 \
    numpy==2.5.5 pandas==3.1.1 cyvcf2==0.35.0 pysam==0.24.1 pyparsing==3.3.3 click==8.5.1 pyranges==0.1.7 \
    humanfriendly >log.txt 2>&1 || { cat log.txt; exit 1; }
printf '%s\n' '##fileformat=VCFv4.2' '##contig=<ID=1,length=1000000>' \
    '##INFO=<ID=AF,Number=A,Type=Float,Description="Allele frequency">' \
    '##FORMAT=<ID=GT,Number=1,Type=String,Description="Genotype">' >head.txt
{
    printf '#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\ts\n'
    printf '1\t100\t.\tA\tC\t50\tPASS\tAF=0.5\tGT\t0/1\n1\t200\t.\tA\tG\t50\tPASS\tAF=0.1\tGT\t0/1\n'
} >>head.txt
cp head.txt two.vcf
{ cat head.txt; printf '1\t300\t.\tA\tC,T\t50\tPASS\tAF=0.9,0.8\tGT\t0/1\n'; } >three.vcf

cat >bcftools.py <<'PY'
import sys
import pysam
import pysam.bcftools
name, flag = sys.argv[1:]
pysam.tabix_index(f"{name}.vcf", preset="vcf", force=True, keep_original=True)
print(pysam.bcftools.query("-f", r"%POS\n", flag, "AF>0.3", f"{name}.vcf.gz"), end="")
PY
for name in two three; do
    for flag in -i -e; do
        echo "$name $flag bcftools" $(v/bin/python bcftools.py $name $flag)
        [ -e $name.vcz ] || v/bin/vcf2zarr convert --no-progress $name.vcf.gz $name.vcz
        echo "$name $flag vcztools" $(v/bin/vcztools query -f '%POS\n' $flag 'AF>0.3' $name.vcz)
    done
    echo "$name -e vcztools view" $(v/bin/vcztools view --no-header -e 'AF>0.3' $name.vcz | cut -f2)
done >seen.txt
cat seen.txt
[ "$(cat seen.txt)" = "two -i bcftools 100
two -i vcztools 100
two -e bcftools 200
two -e vcztools 200
two -e vcztools view 200
three -i bcftools 100 300
three -i vcztools 100 300
three -e bcftools 200
three -e vcztools 100 200
three -e vcztools view 100 200" ] || { echo "CHANGED"; exit 1; }
echo "as described"
