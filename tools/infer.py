import sys

from mmdet_lite.cli.infer import main

if __name__ == "__main__":
    sys.exit(main())
