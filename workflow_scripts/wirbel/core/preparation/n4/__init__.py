"""N4 bias field correction (Tustison et al., IEEE TMI 2010;29:1310): by products of small matrices, or by ITK."""
