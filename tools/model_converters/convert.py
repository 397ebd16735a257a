import sys

from mmdet_lite.cli.convert_weights import main

if __name__ == "__main__":
    sys.exit(main())
