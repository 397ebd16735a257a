import sys

from mmdet_lite.cli.train import main

if __name__ == "__main__":
    sys.exit(main())
