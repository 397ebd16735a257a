from mmdet_lite.cli.balloon2coco import main

if __name__ == "__main__":
    raise SystemExit(main())
